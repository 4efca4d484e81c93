/**
 * What our letters say, in English and Romanian: subject, text and HTML from one description.
 *
 * Promises: pure; whatever people typed (their name, the company's) is made one harmless line before it reaches a header,
 * and is escaped before it reaches HTML; the link stands alone on a line of the text, so that no mail program breaks it.
 * Leaves to others: addressing and sending (`letters.ts`).
 */

export const LETTER_LANGUAGES = ['en', 'ro'] as const;
export type LetterLanguage = (typeof LETTER_LANGUAGES)[number];

export type Letter =
	| { kind: 'invitation'; language: LetterLanguage; company: string; invitedBy: string; code: string; expiresAt: number }
	| { kind: 'email-confirmation'; language: LetterLanguage; name: string; code: string; expiresAt: number };

export interface LetterTexts {
	subject: string;
	text: string;
	html: string;
}

/** Subjects and senders longer than this are no names; it also bounds what a stranger can make us send. */
const NAME_MAX = 100;

/**
 * One line without control characters, line separators, lone surrogates, or marks that turn the reading direction: those
 * could end a header, or make a link's neighbour read as something else.
 */
export function oneLine(value: string): string {
	const line = value
		.slice(0, 2_000)
		.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\s]+/gu, ' ')
		.trim();
	const characters = [...line];
	return characters.length <= NAME_MAX ? line : `${characters.slice(0, NAME_MAX - 1).join('')}…`;
}

export function escapeHtml(value: string): string {
	return value.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

interface Wording {
	subject: string;
	lines: string[];
	button: string;
	until: string;
	ignore: string;
}

export function composeLetter(letter: Letter, publicUrl: string): LetterTexts {
	const words = WORDING[letter.language](letter);
	const path = letter.kind === 'invitation' ? 'invitation' : 'confirmation';
	const link = `${publicUrl.replace(/\/+$/, '')}/${path}/${encodeURIComponent(letter.code)}`;
	const text = `${[...words.lines, link, words.until, words.ignore].join('\n\n')}\n`;
	return { subject: words.subject, text, html: html(letter.language, words, link) };
}

const WORDING: Record<LetterLanguage, (letter: Letter) => Wording> = {
	en(letter) {
		const until = `The link works until ${day(letter.expiresAt, 'en-GB')}.`;
		if (letter.kind === 'invitation') {
			const company = oneLine(letter.company);
			return {
				subject: `Invitation to the portal of ${company}`,
				lines: ['Hello,', `${oneLine(letter.invitedBy)} invites you to the company portal of ${company}.`],
				button: 'Accept the invitation',
				until,
				ignore: 'If you do not know the sender, ignore this letter; nothing happens then.'
			};
		}
		return {
			subject: 'Confirm your e-mail address',
			lines: [`Hello ${oneLine(letter.name)},`, 'please confirm that this e-mail address is yours.'],
			button: 'Confirm the address',
			until,
			ignore: 'If you did not ask for this letter, ignore it; nothing happens then.'
		};
	},
	ro(letter) {
		const until = `Linkul este valabil până la ${day(letter.expiresAt, 'ro-RO')}.`;
		if (letter.kind === 'invitation') {
			const company = oneLine(letter.company);
			return {
				subject: `Invitație în portalul ${company}`,
				lines: ['Bună ziua,', `${oneLine(letter.invitedBy)} vă invită în portalul companiei ${company}.`],
				button: 'Acceptați invitația',
				until,
				ignore: 'Dacă nu cunoașteți expeditorul, ignorați acest mesaj; nu se va întâmpla nimic.'
			};
		}
		return {
			subject: 'Confirmați adresa de e-mail',
			lines: [`Bună ziua, ${oneLine(letter.name)},`, 'vă rugăm să confirmați că această adresă de e-mail vă aparține.'],
			button: 'Confirmați adresa',
			until,
			ignore: 'Dacă nu ați cerut acest mesaj, ignorați-l; nu se va întâmpla nimic.'
		};
	}
};

function day(time: number, locale: string): string {
	// In UTC: the reader's zone is not known, and a day more or less is told by the page behind the link.
	return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(time);
}

function html(language: LetterLanguage, words: Wording, link: string): string {
	const href = escapeHtml(link);
	const paragraph = (content: string) => `<p style="margin:0 0 16px">${content}</p>`;
	return [
		'<!doctype html>',
		`<html lang="${language}">`,
		`<head><meta charset="utf-8"><title>${escapeHtml(words.subject)}</title></head>`,
		'<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#1c1c1c;background:#ffffff">',
		...words.lines.map((line) => paragraph(escapeHtml(line))),
		paragraph(
			`<a href="${href}" style="display:inline-block;padding:10px 18px;border-radius:6px;` +
				`background:#1b4b8f;color:#ffffff;text-decoration:none">${escapeHtml(words.button)}</a>`
		),
		paragraph(`<a href="${href}" style="color:#1b4b8f">${href}</a>`),
		paragraph(escapeHtml(words.until)),
		paragraph(`<small>${escapeHtml(words.ignore)}</small>`),
		'</body>',
		'</html>',
		''
	].join('\n');
}
