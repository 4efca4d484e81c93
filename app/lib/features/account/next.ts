/** Where to go after signing in: addresses of our own alone, so that no link sends the person elsewhere once they are in. */
export const HOME = '/tasks';

export function nextOf(url: Pick<URL, 'origin'> & { readonly searchParams: Pick<URLSearchParams, 'get'> }): string {
	const wanted = url.searchParams.get('next') ?? '';
	if (!/^\/(?![/\\])/u.test(wanted) || /[\p{Cc}\\]/u.test(wanted)) return HOME;
	// As the browser itself would read it.
	const resolved = new URL(wanted, url.origin);
	if (resolved.origin !== url.origin || resolved.pathname.startsWith('//')) return HOME;
	return resolved.pathname === '/' || /^\/(api|sign-in|register|confirm|reset|invitation|join|email)(\/|$)/.test(resolved.pathname) ? HOME : resolved.pathname + resolved.search;
}
