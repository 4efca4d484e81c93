// The app is a shell that works from the cache: nothing is rendered by a server, and the relay answers every address of the
// app with the same page.
export const ssr = false;
export const prerender = false;
