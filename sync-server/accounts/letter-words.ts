/**
 * The words of our letters, in English and Romanian.
 *
 * Promises: pure; names come here as one harmless line (`letter-texts.ts` makes them so) and are escaped after here; a letter that
 * nobody asked for says so, and tells what to do.
 */
import type { FactorChange, LetterBody, LetterLanguage } from './letter-kinds.ts';

export interface Wording {
	subject: string;
	lines: string[];
	/** Null: a letter with nothing to press. */
	button: string | null;
	/** Beneath the link, smaller. */
	notes: string[];
}

/** How the portal writes days and times; `auto` is as the letter's language does. */
export interface LetterFormats {
	readonly dateFormat: 'auto' | 'dmy' | 'mdy' | 'ymd';
	readonly timeFormat: 'auto' | 'h24' | 'h12';
}
export const AUTO: LetterFormats = { dateFormat: 'auto', timeFormat: 'auto' };

const LOCALES = { en: 'en-GB', ro: 'ro-RO' } as const;

/** In UTC: the reader's zone is not known, and a day more or less is told by the page behind the link. Months as words, so that no order is mistaken. */
function day(time: number, language: LetterLanguage, { dateFormat }: LetterFormats): string {
	if (dateFormat === 'ymd') return new Date(time).toISOString().slice(0, 10);
	const locale = dateFormat === 'mdy' && language === 'en' ? 'en-US' : LOCALES[language];
	return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(time);
}
function moment(time: number, language: LetterLanguage, formats: LetterFormats): string {
	const clock = new Intl.DateTimeFormat(LOCALES[language], { timeStyle: 'short', timeZone: 'UTC', ...(formats.timeFormat !== 'auto' && { hour12: formats.timeFormat === 'h12' }) });
	return `${day(time, language, formats)}, ${clock.format(time)} UTC`;
}

export const WORDING: Record<LetterLanguage, (letter: LetterBody, formats: LetterFormats) => Wording> = { en: english, ro: romanian };

function english(letter: LetterBody, formats: LetterFormats): Wording {
	const until = (time: number) => `The link works once, until ${day(time, 'en', formats)}.`;
	const hello = (name: string) => (name === '' ? 'Hello,' : `Hello ${name},`);
	const ignore = 'If you did not ask for this letter, ignore it; nothing happens then.';
	const notYou = 'If this was not you, choose a new password at once and tell your administrator.';
	switch (letter.kind) {
		case 'registration':
			return {
				subject: `Confirm your address to open the portal of ${letter.company}`,
				lines: [hello(letter.name), `you are about to open the company portal of ${letter.company}. Please confirm that this e-mail address is yours.`],
				button: 'Confirm and open the portal',
				notes: [until(letter.expiresAt), ignore]
			};
		case 'registration-known':
			return {
				subject: 'You have an account already',
				lines: ['Hello,', `somebody, probably you, wanted to open a portal for ${letter.company} with this address, which has an account here already.`, 'Sign in with it; then you can open another portal without a new password.'],
				button: 'Sign in',
				notes: [ignore]
			};
		case 'invitation':
			return {
				subject: `Invitation to the portal of ${letter.company}`,
				lines: ['Hello,', `${letter.invitedBy} invites you to the company portal of ${letter.company}.`],
				button: 'Accept the invitation',
				notes: [until(letter.expiresAt), 'If you do not know the sender, ignore this letter; nothing happens then.']
			};
		case 'join-confirmation':
			return {
				subject: `Confirm your address to join ${letter.company}`,
				lines: [hello(letter.name), `you asked to join the company portal of ${letter.company}. Please confirm that this e-mail address is yours.`],
				button: 'Confirm the address',
				notes: [until(letter.expiresAt), ignore]
			};
		case 'join-known':
			return letter.confirm === null
				? {
						subject: `You are in the portal of ${letter.company} already`,
						lines: ['Hello,', `somebody, probably you, asked to join the company portal of ${letter.company} with this address. You belong to it already: sign in.`],
						button: 'Sign in',
						notes: [ignore]
					}
				: {
						subject: `Confirm that you want to join ${letter.company}`,
						lines: ['Hello,', `you asked to join the company portal of ${letter.company}. This address has an account here already, so your present password stays as it is.`],
						button: 'Confirm and join',
						notes: [until(letter.confirm.expiresAt), ignore]
					};
		case 'join-approved':
			return {
				subject: `Welcome to the portal of ${letter.company}`,
				lines: [hello(letter.name), `your request was approved: you belong to the company portal of ${letter.company} now.`],
				button: 'Sign in',
				notes: []
			};
		case 'join-refused':
			return {
				subject: `Your request to join ${letter.company}`,
				lines: [hello(letter.name), `your request to join the company portal of ${letter.company} was not approved. If you think that this is a mistake, please ask the company.`],
				button: null,
				notes: []
			};
		case 'join-asked':
			return {
				subject: letter.people === 1 ? `Somebody asks to join ${letter.company}` : `${letter.people} people ask to join ${letter.company}`,
				lines: ['Hello,', letter.people === 1 ? 'one person waits for your decision.' : `${letter.people} people wait for your decision.`],
				button: 'Decide',
				notes: ['There is at most one such letter an hour, however many ask.']
			};
		case 'password-reset':
			return {
				subject: 'Choose a new password',
				lines: ['Hello,', 'you asked for a new password. With it you are signed out on all devices; what is kept on them stays.'],
				button: 'Choose a new password',
				notes: [until(letter.expiresAt), 'If you did not ask for this letter, ignore it; your password stays as it is.']
			};
		case 'password-changed':
			return {
				subject: 'Your password was changed',
				lines: ['Hello,', `your password was changed on ${moment(letter.at, 'en', formats)}.`, notYou],
				button: 'Choose a new password',
				notes: ['If you changed it yourself, there is nothing to do.']
			};
		case 'email-change':
			return {
				subject: 'Confirm your new e-mail address',
				lines: ['Hello,', 'you asked to sign in with this e-mail address from now on. Please confirm that it is yours.'],
				button: 'Confirm the address',
				notes: [until(letter.expiresAt), 'If you did not ask for this letter, ignore it; nothing changes then.']
			};
		case 'email-changed':
			return {
				subject: 'Your e-mail address was changed',
				lines: ['Hello,', `since ${moment(letter.at, 'en', formats)} you sign in with another e-mail address, and no longer with this one.`, 'If this was not you, tell your administrator at once.'],
				button: 'Sign in',
				notes: ['If you changed it yourself, there is nothing to do.']
			};
		case 'new-sign-in':
			return {
				subject: 'A sign-in from a new device',
				lines: [
					'Hello,',
					`somebody signed in with your account${letter.company === null ? '' : ` at ${letter.company}`} from a device or network that was not seen before.`,
					[`When: ${moment(letter.at, 'en', formats)}`, letter.ip && `Network address: ${letter.ip}`, letter.userAgent && `Device: ${letter.userAgent}`].filter(Boolean).join('. ') + '.',
					'If this was not you, end that sign-in and choose a new password at once.'
				],
				button: 'See your devices',
				notes: ['If it was you, there is nothing to do.']
			};
		case 'second-factor-changed':
			return {
				subject: 'How you sign in was changed',
				lines: ['Hello,', `${FACTOR_WORDS.en[letter.change]} (${moment(letter.at, 'en', formats)})`, notYou],
				button: 'See your profile',
				notes: ['If it was you, there is nothing to do.']
			};
		case 'added-directly':
			return {
				subject: `Your account at ${letter.company}`,
				lines: [hello(letter.name), `${letter.addedBy} made you an account in the company portal of ${letter.company}. Sign in with this e-mail address and the first password that you are told; then you choose your own.`],
				button: 'Sign in',
				notes: ['If you do not know the sender, ignore this letter.']
			};
	}
}

const FACTOR_WORDS: Record<LetterLanguage, Record<FactorChange, string>> = {
	en: {
		'switched-on': 'Signing in now asks for a code from your authenticator app.',
		'switched-off': 'Signing in no longer asks for a code from your authenticator app.',
		reset: 'Your authenticator app was taken off your account by an administrator.',
		'recovery-codes': 'New recovery codes were made; the older ones work no longer.',
		'recovery-code-used': 'A recovery code was used to sign in. It works no longer.',
		'passkey-added': 'A passkey was added to your account.',
		'passkey-removed': 'A passkey was taken off your account.',
		'account-linked': 'An account of another service was linked; it can sign you in.',
		'account-unlinked': 'An account of another service was unlinked; it no longer signs you in.'
	},
	ro: {
		'switched-on': 'La autentificare vi se cere acum un cod din aplicația de autentificare.',
		'switched-off': 'La autentificare nu vi se mai cere un cod din aplicația de autentificare.',
		reset: 'Aplicația de autentificare a fost scoasă din contul dumneavoastră de un administrator.',
		'recovery-codes': 'Au fost create coduri de recuperare noi; cele vechi nu mai sunt valabile.',
		'recovery-code-used': 'La autentificare a fost folosit un cod de recuperare. El nu mai este valabil.',
		'passkey-added': 'La contul dumneavoastră a fost adăugată o cheie de acces.',
		'passkey-removed': 'Din contul dumneavoastră a fost scoasă o cheie de acces.',
		'account-linked': 'A fost legat un cont al altui serviciu; vă puteți autentifica și cu el.',
		'account-unlinked': 'A fost dezlegat un cont al altui serviciu; nu vă mai puteți autentifica cu el.'
	}
};

/** `2 persoane`, `20 de persoane`. */
function people(count: number): string {
	if (count === 1) return 'o persoană';
	const needsDe = count % 100 === 0 || count % 100 >= 20;
	return `${count} ${needsDe ? 'de ' : ''}persoane`;
}

function romanian(letter: LetterBody, formats: LetterFormats): Wording {
	const until = (time: number) => `Linkul poate fi folosit o singură dată, până la ${day(time, 'ro', formats)}.`;
	const hello = (name: string) => (name === '' ? 'Bună ziua,' : `Bună ziua, ${name},`);
	const ignore = 'Dacă nu ați cerut acest mesaj, ignorați-l; nu se va întâmpla nimic.';
	const notYou = 'Dacă nu ați fost dumneavoastră, alegeți imediat o parolă nouă și anunțați administratorul.';
	switch (letter.kind) {
		case 'registration':
			return {
				subject: `Confirmați adresa pentru a deschide portalul ${letter.company}`,
				lines: [hello(letter.name), `sunteți pe cale să deschideți portalul companiei ${letter.company}. Vă rugăm să confirmați că această adresă de e-mail vă aparține.`],
				button: 'Confirmați și deschideți portalul',
				notes: [until(letter.expiresAt), ignore]
			};
		case 'registration-known':
			return {
				subject: 'Aveți deja un cont',
				lines: ['Bună ziua,', `cineva, probabil dumneavoastră, a vrut să deschidă un portal pentru ${letter.company} cu această adresă, care are deja un cont aici.`, 'Autentificați-vă cu el; apoi puteți deschide încă un portal fără o parolă nouă.'],
				button: 'Autentificați-vă',
				notes: [ignore]
			};
		case 'invitation':
			return {
				subject: `Invitație în portalul ${letter.company}`,
				lines: ['Bună ziua,', `${letter.invitedBy} vă invită în portalul companiei ${letter.company}.`],
				button: 'Acceptați invitația',
				notes: [until(letter.expiresAt), 'Dacă nu cunoașteți expeditorul, ignorați acest mesaj; nu se va întâmpla nimic.']
			};
		case 'join-confirmation':
			return {
				subject: `Confirmați adresa pentru a intra în ${letter.company}`,
				lines: [hello(letter.name), `ați cerut să intrați în portalul companiei ${letter.company}. Vă rugăm să confirmați că această adresă de e-mail vă aparține.`],
				button: 'Confirmați adresa',
				notes: [until(letter.expiresAt), ignore]
			};
		case 'join-known':
			return letter.confirm === null
				? {
						subject: `Faceți parte deja din portalul ${letter.company}`,
						lines: ['Bună ziua,', `cineva, probabil dumneavoastră, a cerut să intre în portalul companiei ${letter.company} cu această adresă. Faceți deja parte din el: autentificați-vă.`],
						button: 'Autentificați-vă',
						notes: [ignore]
					}
				: {
						subject: `Confirmați că doriți să intrați în ${letter.company}`,
						lines: ['Bună ziua,', `ați cerut să intrați în portalul companiei ${letter.company}. Această adresă are deja un cont aici, așa că parola dumneavoastră rămâne cea de acum.`],
						button: 'Confirmați și intrați',
						notes: [until(letter.confirm.expiresAt), ignore]
					};
		case 'join-approved':
			return {
				subject: `Bine ați venit în portalul ${letter.company}`,
				lines: [hello(letter.name), `cererea dumneavoastră a fost aprobată: de acum faceți parte din portalul companiei ${letter.company}.`],
				button: 'Autentificați-vă',
				notes: []
			};
		case 'join-refused':
			return {
				subject: `Cererea dumneavoastră de a intra în ${letter.company}`,
				lines: [hello(letter.name), `cererea dumneavoastră de a intra în portalul companiei ${letter.company} nu a fost aprobată. Dacă credeți că este o greșeală, vă rugăm să întrebați compania.`],
				button: null,
				notes: []
			};
		case 'join-asked':
			return {
				subject: letter.people === 1 ? `Cineva cere să intre în ${letter.company}` : `${people(letter.people)} cer să intre în ${letter.company}`,
				lines: ['Bună ziua,', letter.people === 1 ? 'o persoană așteaptă decizia dumneavoastră.' : `${people(letter.people)} așteaptă decizia dumneavoastră.`],
				button: 'Decideți',
				notes: ['Primiți cel mult un astfel de mesaj pe oră, oricâte persoane ar cere.']
			};
		case 'password-reset':
			return {
				subject: 'Alegeți o parolă nouă',
				lines: ['Bună ziua,', 'ați cerut o parolă nouă. Odată cu ea veți fi deconectat de pe toate dispozitivele; ce este păstrat pe ele rămâne.'],
				button: 'Alegeți o parolă nouă',
				notes: [until(letter.expiresAt), 'Dacă nu ați cerut acest mesaj, ignorați-l; parola dumneavoastră rămâne cea de acum.']
			};
		case 'password-changed':
			return {
				subject: 'Parola dumneavoastră a fost schimbată',
				lines: ['Bună ziua,', `parola dumneavoastră a fost schimbată la ${moment(letter.at, 'ro', formats)}.`, notYou],
				button: 'Alegeți o parolă nouă',
				notes: ['Dacă ați schimbat-o dumneavoastră, nu trebuie să faceți nimic.']
			};
		case 'email-change':
			return {
				subject: 'Confirmați noua adresă de e-mail',
				lines: ['Bună ziua,', 'ați cerut ca de acum înainte să vă autentificați cu această adresă de e-mail. Vă rugăm să confirmați că vă aparține.'],
				button: 'Confirmați adresa',
				notes: [until(letter.expiresAt), 'Dacă nu ați cerut acest mesaj, ignorați-l; nu se va schimba nimic.']
			};
		case 'email-changed':
			return {
				subject: 'Adresa dumneavoastră de e-mail a fost schimbată',
				lines: ['Bună ziua,', `din ${moment(letter.at, 'ro', formats)} vă autentificați cu altă adresă de e-mail, iar cu aceasta nu mai puteți.`, 'Dacă nu ați fost dumneavoastră, anunțați imediat administratorul.'],
				button: 'Autentificați-vă',
				notes: ['Dacă ați schimbat-o dumneavoastră, nu trebuie să faceți nimic.']
			};
		case 'new-sign-in':
			return {
				subject: 'O autentificare de pe un dispozitiv nou',
				lines: [
					'Bună ziua,',
					`cineva s-a autentificat cu contul dumneavoastră${letter.company === null ? '' : ` în portalul ${letter.company}`} de pe un dispozitiv sau dintr-o rețea care nu a mai fost văzută.`,
					[`Când: ${moment(letter.at, 'ro', formats)}`, letter.ip && `Adresa de rețea: ${letter.ip}`, letter.userAgent && `Dispozitivul: ${letter.userAgent}`].filter(Boolean).join('. ') + '.',
					'Dacă nu ați fost dumneavoastră, încheiați acea sesiune și alegeți imediat o parolă nouă.'
				],
				button: 'Vedeți dispozitivele',
				notes: ['Dacă ați fost dumneavoastră, nu trebuie să faceți nimic.']
			};
		case 'second-factor-changed':
			return {
				subject: 'Modul în care vă autentificați a fost schimbat',
				lines: ['Bună ziua,', `${FACTOR_WORDS.ro[letter.change]} (${moment(letter.at, 'ro', formats)})`, notYou],
				button: 'Vedeți profilul',
				notes: ['Dacă ați fost dumneavoastră, nu trebuie să faceți nimic.']
			};
		case 'added-directly':
			return {
				subject: `Contul dumneavoastră la ${letter.company}`,
				lines: [hello(letter.name), `${letter.addedBy} v-a creat un cont în portalul companiei ${letter.company}. Autentificați-vă cu această adresă de e-mail și cu prima parolă, care vă va fi comunicată; apoi vă alegeți propria parolă.`],
				button: 'Autentificați-vă',
				notes: ['Dacă nu cunoașteți expeditorul, ignorați acest mesaj.']
			};
	}
}
