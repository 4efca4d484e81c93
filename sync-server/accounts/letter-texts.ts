/**
 * What our letters say: subject, text and HTML from one description.
 *
 * Promises: pure; whatever people typed (their name, the company's, what a browser calls itself) is made one harmless line before it
 * reaches a header, and is escaped before it reaches HTML; the link stands alone on a line of the text, so that no mail program breaks
 * it, and its code behind a `#`, so that no server on the way logs it; nothing is fetched when a letter is opened.
 * Leaves to others: addressing and sending (`letters.ts`).
 */
import { pathOf, type Letter, type LetterBody, type LetterLanguage, type LetterLook } from './letter-kinds.ts';
import { AUTO, WORDING, type Wording } from './letter-words.ts';

export interface LetterTexts {
	subject: string;
	text: string;
	html: string;
}

/** Subjects and senders longer than this are no names; it also bounds what a stranger can make us send. */
const NAME_MAX = 100;
/** A whole subject, with a name in it. */
const SUBJECT_MAX = 200;
/** What letters of no portal are signed with. */
export const OWN_NAME = 'Atrium';
const OWN_ACCENT = '#3557d6';

/**
 * One line without control characters, line separators, lone surrogates, or marks that turn the reading direction: those
 * could end a header, or make a link's neighbour read as something else.
 */
export function oneLine(value: string, maxLength = NAME_MAX): string {
	const line = value
		.slice(0, 2_000)
		.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\s]+/gu, ' ')
		.trim();
	const characters = [...line];
	return characters.length <= maxLength ? line : `${characters.slice(0, maxLength - 1).join('')}…`;
}

/**
 * A stranger's name must be no link of theirs in our letter: mail programs make links of `example.com` and `http://…` in plain text, and whoever
 * registers under such a name could make us send advertisements. What no name has (`://`, `www.`) gets a gap; in `example.com`, which a company may well be
 * called, an invisible word joiner after the dot reads alike and is followed by nobody.
 */
export function harmlessName(value: string): string {
	const gapped = oneLine(value.replaceAll(JOINER, '').slice(0, 2_000).replace(/:\/\//g, ' : ').replace(/\b(www)\./gi, '$1 '));
	return gapped.replace(/(?<=[\p{L}\p{N}])[.:/@]+(?=[\p{L}\p{N}]{2})/gu, `$&${JOINER}`);
}
const JOINER = '\u2060';

export function escapeHtml(value: string): string {
	return value.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function composeLetter(letter: Letter, publicUrl: string, look: LetterLook | null = null): LetterTexts {
	const words = WORDING[letter.language](harmless(letter), look?.formats ?? AUTO);
	const link = publicUrl.replace(/\/+$/, '') + pathOf(letter);
	const company = look === null ? OWN_NAME : harmlessName(look.company) || OWN_NAME;
	const parts = [...words.lines, ...(words.button === null ? [] : [link]), ...words.notes, `-- \n${company}`];
	const subject = oneLine(words.subject, SUBJECT_MAX);
	return { subject, text: `${parts.join('\n\n')}\n`, html: html(letter.language, { ...words, subject }, { link, company, accent: readableAccent(look?.accent ?? null) }) };
}

/** Every text of a person's in it, harmless; codes are ours and stay as they are. */
function harmless(letter: Letter): LetterBody {
	const clean = Object.entries(letter).map(([key, value]) => [key, typeof value === 'string' ? (CLEANED[key]?.(value) ?? value) : value]);
	return Object.fromEntries(clean) as Letter;
}
const CLEANED: Readonly<Record<string, (value: string) => string | null>> = {
	company: harmlessName,
	name: harmlessName,
	invitedBy: harmlessName,
	addedBy: harmlessName,
	ip: (value) => oneLine(value),
	userAgent: deviceName
};

const BROWSERS = [['Edg', 'Edge'], ['OPR', 'Opera'], ['Firefox', 'Firefox'], ['FxiOS', 'Firefox'], ['CriOS', 'Chrome'], ['Chrome', 'Chrome'], ['Safari', 'Safari']] as const;
const SYSTEMS = [['Android', 'Android'], ['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Windows', 'Windows'], ['Mac OS', 'macOS'], ['Linux', 'Linux']] as const;

/** `Firefox, Linux`; '' for a program that says neither, whose own words would be a stranger's text in our letter. */
function deviceName(userAgent: string): string {
	const named = (names: readonly (readonly [string, string])[]) => names.find(([sign]) => userAgent.includes(sign))?.[1];
	return [named(BROWSERS), named(SYSTEMS)].filter((part) => part !== undefined).join(', ');
}

/** The portal's colour, darkened until white words on it reach 4.5:1. */
export function readableAccent(accent: string | null): string {
	const [, ...parts] = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(accent ?? '') ?? [];
	if (parts.length === 0) return OWN_ACCENT;
	let channels = parts.map((part) => Number.parseInt(part, 16));
	while (1.05 / (luminance(channels) + 0.05) < 4.5) channels = channels.map((channel) => Math.floor(channel * 0.94));
	return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** WCAG 2's relative luminance. */
function luminance(channels: readonly number[]): number {
	const [red = 0, green = 0, blue = 0] = channels.map((channel) => {
		const share = channel / 255;
		return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
	});
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

interface Shape {
	readonly link: string;
	readonly company: string;
	readonly accent: string;
}

/**
 * Tables and inline styles: what mail programs of all ages understand. Those that know `prefers-color-scheme` get the dark sheet from the head; those that
 * turn colours by themselves find enough contrast either way.
 */
function html(language: LetterLanguage, words: Wording, { link, company, accent }: Shape): string {
	const href = escapeHtml(link);
	const paragraph = (content: string) => `<p style="margin:0 0 16px">${content}</p>`;
	return [
		'<!doctype html>',
		`<html lang="${language}">`,
		'<head>',
		'<meta charset="utf-8">',
		'<meta name="viewport" content="width=device-width, initial-scale=1">',
		'<meta name="color-scheme" content="light dark">',
		'<meta name="supported-color-schemes" content="light dark">',
		`<title>${escapeHtml(words.subject)}</title>`,
		'<style>',
		':root{color-scheme:light dark}',
		'@media (prefers-color-scheme:dark){.page{background:#15151a!important}.card{background:#1f1f26!important;border-left-color:#34343e!important;border-right-color:#34343e!important;border-bottom-color:#34343e!important;color:#ececf1!important}.quiet,.quiet a{color:#a9a9b6!important}.name{color:#ececf1!important}}',
		'</style>',
		'</head>',
		'<body class="page" style="margin:0;padding:0;background:#f4f4f6">',
		'<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:#f4f4f6"><tr><td align="center" style="padding:32px 12px">',
		`<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" style="max-width:520px;background:#ffffff;border:1px solid #e6e6ea;border-top:4px solid ${accent};border-radius:10px;color:#1a1a20;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"><tr><td style="padding:28px 32px 20px">`,
		`<p class="name" style="margin:0 0 24px;font-weight:600;font-size:18px;color:#1a1a20;overflow-wrap:anywhere">${escapeHtml(company)}</p>`,
		...words.lines.map((line) => paragraph(escapeHtml(line))),
		...(words.button === null
			? []
			: [
					`<p style="margin:24px 0"><a href="${href}" style="display:inline-block;padding:12px 22px;border-radius:6px;background:${accent};color:#ffffff;font-weight:600;text-decoration:none">${escapeHtml(words.button)}</a></p>`,
					`<p class="quiet" style="margin:0 0 16px;font-size:13px;color:#656571;overflow-wrap:anywhere"><a href="${href}" style="color:#656571">${href}</a></p>`
				]),
		...words.notes.map((note) => `<p class="quiet" style="margin:0 0 8px;font-size:13px;color:#656571">${escapeHtml(note)}</p>`),
		'</td></tr></table>',
		'</td></tr></table>',
		'</body>',
		'</html>',
		''
	].join('\n');
}
