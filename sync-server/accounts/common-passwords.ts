/**
 * Passwords that a guesser tries first. A list of words, because length alone lets `password1` pass.
 *
 * Promises: pure; digits and signs around a word, and digits that stand for letters, hide it not; a phrase of `PHRASE_MIN` characters or more is no word any more.
 */

/** Long enough that a word at its heart does not decide. */
export const PHRASE_MIN = 14;

/** Written by hand: names of keys in a row, names of the thing itself, names of teams, seasons, pets and people, in English and Romanian. */
const WORDS = new Set(
	`password passw0rd parola parolamea passwort motdepasse contrasena senha secret secreta secretul letmein welcome bunvenit bineativenit hello salut admin administrator administratie
	root superuser user utilizator login guest oaspete test testing tester demo changeme schimbama default access acces open sesame opensesame master manager director sef boss office birou
	company companie firma portal atrium bitrix intranet qwerty qwertyui qwertyuiop qwertz qwertzuiop azerty asdf asdfgh asdfghjk asdfghjkl zxcvbn zxcvbnm yxcvbnm qazwsx qazwsxedc
	qweasd qweasdzxc iloveyou teiubesc tiubesc loveyou dragoste iubire dragon monkey maimuta sunshine soare princess printesa superman batman spiderman pokemon starwars football fotbal baseball
	basketball hockey soccer steaua dinamo rapid barcelona realmadrid liverpool chelsea arsenal juventus ferrari mercedes porsche toyota renault dacia dacialogan logan duster romania bucuresti
	bucharest cluj clujnapoca timisoara iasi constanta brasov sibiu oradea craiova london paris berlin moscow america europe summer winter spring autumn vara iarna primavara toamna january february
	march april august september october november december ianuarie februarie martie aprilie septembrie octombrie noiembrie decembrie monday friday sunday luni vineri duminica shadow michael jordan
	jennifer jessica ashley daniel andrew andrei andreea alexandra alexandru mihai mihaela cristina cristian elena ioana maria gabriel gabriela florin florentina ionut marius bogdan george stefan
	stefania nicolae robert charlie thomas william elizabeth matthew joshua anthony michelle nicole hunter buster soccer1 killer trustno freedom libertate whatever computer calculator internet google
	facebook microsoft windows linux apple samsung iphone android cookie chocolate ciocolata banana cheese pepper ginger flower floare angel inger diamond silver golden money banii euro dollar
	fuckyou pussy asshole bigdick abcdef abcdefg abcdefgh aaaaaa aaaaaaaa`
		.split(/\s+/)
		.filter(Boolean)
);

const LETTER_FOR: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i' };

/** @param own words of the person: of their address and their name */
export function isCommon(password: string, own: readonly string[]): boolean {
	const text = password.normalize('NFKC').toLowerCase();
	if ([...text].length >= PHRASE_MIN && new Set(text).size > 4) return false;
	if (isRun(text)) return true;
	const bare = (value: string): string => value.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
	const spelled = text.replace(/[013457@$!]/g, (sign) => LETTER_FOR[sign]!);
	const cores = new Set([bare(text), bare(spelled), spelled, bare(text).replace(/[\s._-]+/g, '')]);
	const words = own.map((word) => word.normalize('NFKC').toLowerCase()).filter((word) => word.length >= 4);
	for (const core of cores) if (WORDS.has(core) || words.includes(core) || (core.length > 0 && core.length % 2 === 0 && WORDS.has(core.slice(0, core.length / 2)) && core === core.slice(0, core.length / 2).repeat(2))) return true;
	return false;
}

/** One character again and again, a short piece repeated, or a row up or down: `11111111`, `abababab`, `12345678`, `87654321`. */
function isRun(text: string): boolean {
	const codes = [...text].map((character) => character.codePointAt(0)!);
	if (/^(.{1,4}?)\1+$/u.test(text) && new Set(codes).size <= 4) return true;
	const steps = new Set(codes.slice(1).map((code, at) => code - codes[at]!));
	if (steps.size === 1 && Math.abs([...steps][0]!) <= 1) return true;
	return /^(?:0?1234567890?|1234567891?0?|0?9876543210?)$/.test(text);
}
