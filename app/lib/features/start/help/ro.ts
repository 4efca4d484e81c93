import type { Articles } from './topics.ts';

export const articles: Articles = {
	start: {
		title: 'Cum te orientezi',
		lead: 'Tot ce ține de companie într-un singur loc, pe dispozitivul tău, cu sau fără rețea.',
		parts: [
			{
				title: 'Cadrul',
				blocks: [
					{
						list: [
							'În stânga, sau în josul telefonului, sunt secțiunile. Un număr lângă o secțiune arată că acolo te așteaptă ceva.',
							'Căutarea de sus găsește înregistrări, merge oriunde și creează orice. Apasă **/** sau **Ctrl K**.',
							'Lângă ea, un cuvânt spune unde este lucrul tău: **Pe acest dispozitiv**, **Se trimite**, **La zi** sau **Puse deoparte**. Apasă-l pentru detalii.',
							'O înregistrare se deschide în dreapta și are adresa ei. **Esc** o închide.'
						]
					}
				]
			},
			{
				title: 'Cu tastatura',
				blocks: [
					{
						list: [
							'**c** creează ceva în secțiunea în care ești.',
							'**g** și o literă merge la o secțiune: **g t** la sarcini.',
							'**j** și **k** mișcă selecția într-o listă, **Enter** deschide, **x** selectează.',
							'**?** arată tastele ecranului, **F1** deschide acest ajutor. Tot ce se poate trage cu mausul se poate muta și cu tastele.'
						]
					}
				]
			},
			{
				title: 'Limba și aspectul',
				blocks: [{ text: 'Deschide meniul cu numele tău. Acolo alegi limba și aspectul luminos sau întunecat; ambele sunt valabile pentru acest dispozitiv.' }]
			}
		],
		see: ['offline', 'account']
	},
	tasks: {
		title: 'Sarcini',
		lead: 'Ce este de făcut, de către cine și până când.',
		parts: [
			{
				title: 'Dă o sarcină',
				blocks: [
					{ steps: ['Scrie ce este de făcut în rândul de sus și apasă **Enter**, sau apasă **c** oriunde în secțiune.', 'Deschide sarcina ca să spui cine răspunde, până când, cine participă și cine urmărește.'] },
					{ text: 'O sarcină nouă este a ta până când o dai cuiva.' }
				]
			},
			{
				title: 'Cine ce poate face',
				blocks: [
					{
						list: [
							'Cine a dat sarcina îi stabilește termenul, îi alege oamenii și o șterge. La fel pot conducătorii de deasupra și administratorii.',
							'Responsabilul îi schimbă starea, o transmite mai departe și lucrează la lista de verificare și la descriere.',
							'Participanții lucrează la lista de verificare și la descriere; observatorii citesc. Toți comentează.',
							'Cu aprobare după finalizare, responsabilul o predă la verificare, iar cine a dat-o spune că este gata.'
						]
					}
				]
			},
			{
				title: 'Găsește ce contează',
				blocks: [{ text: 'Sarcinile „ale mele” sunt cele de care răspunzi sau la care participi; cele „urmărite” sunt cele pe care le observi sau le-ai dat altora. Panoul arată aceleași sarcini după stare: trage un card cu mausul, sau ridică-l cu **Space** și mută-l cu săgețile.' }]
			}
		],
		see: ['offline', 'set-aside']
	},
	crm: {
		title: 'CRM',
		lead: 'Fiecare vânzare în etapa ei, cu firma, suma și omul care răspunde de ea.',
		parts: [
			{
				title: 'De la prima discuție la vânzare',
				blocks: [
					{
						steps: [
							'Creează o tranzacție nouă. Titlul și suma ajung pentru început.',
							'Trage cardul din etapă în etapă pe panou, sau deschide-l și alege etapa sus.',
							'Etapele câștigat și pierdut închid tranzacția. Redeschiderea întreabă o dată, pentru că tranzacțiile închise intră în totaluri.'
						]
					},
					{ text: 'Lista are aceleași tranzacții, cu filtre și sume. Firmele și produsele au listele lor; o firmă își arată tranzacțiile.' }
				]
			},
			{
				title: 'Cine vede o tranzacție',
				blocks: [
					{
						list: [
							'Cele de care răspunzi sunt ale tale. Conducătorii văd tranzacțiile tuturor celor de sub ei.',
							'Rolurile pot lărgi sau îngusta acest lucru; administratorii le stabilesc la permisiuni.',
							'O tranzacție pe care nu ai voie să o vezi nu ajunge niciodată pe dispozitivul tău. Dacă o transmiți altcuiva, ea părăsește dispozitivul la următorul contact, în afară de cazul în care îl conduci pe noul responsabil.',
							'Meniul înregistrării explică, pentru fiecare în parte, cine o vede și de ce.'
						]
					}
				]
			}
		],
		see: ['permissions', 'set-aside']
	},
	permissions: {
		title: 'Permisiuni în CRM',
		lead: 'Rolurile spun ce pot citi, adăuga, schimba și șterge oamenii lor.',
		parts: [
			{
				title: 'Cum funcționează rolurile',
				blocks: [
					{
						list: [
							'Un rol numește oameni, departamente sau grupuri și, pentru fiecare fel de înregistrare, cât de departe ajunge fiecare acțiune: nimic, ale sale, departamentul, și cele de sub el, toate.',
							'Opțiunea „și cele deschise” adaugă înregistrările marcate ca deschise tuturor în CRM.',
							'Mai multe roluri se adună. Cine nu are niciunul are ce este obișnuit: ale sale și, dacă conduce ceva, cele de sub el.',
							'Administratorii pot face orice.'
						]
					}
				]
			},
			{ title: 'Verifică', blocks: [{ text: 'Partea de jos arată, pentru un om, rezultatul tuturor rolurilor. Sau privește ca acel om: în secțiunea companiei deschide meniul persoanei și alege să vezi ca ea. Este doar pentru citire și se înregistrează.' }] }
		],
		see: ['crm', 'people']
	},
	documents: {
		title: 'Documente',
		lead: 'Pagini și texte pe care le scriu mai mulți deodată, și fișiere.',
		parts: [
			{
				title: 'Scrie împreună cu ceilalți',
				blocks: [
					{ text: 'O **pagină** are titluri, liste, tabele și linkuri. Un **text** este text simplu sau Markdown. Cine îl are deschis apare deasupra, și vezi ce tastează ceilalți în timp ce tastează. Fără rețea scrii mai departe; cuvintele amândurora se regăsesc după aceea.' }
				]
			},
			{
				title: 'Fișiere',
				blocks: [
					{
						list: [
							'Lasă fișierele peste listă sau încarcă-le din meniul de adăugare. Fără rețea ele așteaptă pe acest dispozitiv și urcă singure; o încărcare întreruptă continuă de unde a rămas.',
							'Un fișier păstrat pe acest dispozitiv se deschide și fără rețea.',
							'Fișierele șterse eliberează spațiul imediat.'
						]
					}
				]
			},
			{
				title: 'Cine are acces',
				blocks: [
					{
						list: [
							'Ce este doar al tău văd și administratorii. Ce este al companiei este al tuturor: toți pot edita.',
							'Partajarea dă unui om, unui departament sau unui grup un nivel: citire, adăugare, editare, editare și partajare, tot. Unde se aplică mai multe, contează cel mai înalt.'
						]
					}
				]
			}
		],
		see: ['offline']
	},
	company: {
		title: 'Structura companiei',
		lead: 'Departamentele, cine le conduce și cine unde lucrează. Drepturile decurg din ea.',
		parts: [
			{
				title: 'Construiește-o',
				blocks: [
					{
						steps: [
							'Creează un departament nou, dă-i un nume și alege-i conducătorul sau lasă-l fără.',
							'Trage oamenii și departamentele la locul lor. Pe ecran tactil apasă lung, apoi trage. Cu tastatura alege-i și apasă **m**.',
							'Cine este dus astfel părăsește departamentul din care vine; cu **Shift** apăsat, aparține amândurora. După ce duci pe cineva cu degetul sau cu **m**, ești întrebat cum să fie.'
						]
					},
					{ text: 'Ștergerea unui departament îi mută oamenii și părțile la cel de deasupra. Totul se poate anula și totul merge fără rețea.' }
				]
			},
			{
				title: 'Ce decurge din ea',
				blocks: [{ list: ['Conducătorii și adjuncții lor văd sarcinile și tranzacțiile tuturor din departament și de sub el.', 'Documentele se pot partaja cu un departament, singur sau cu tot ce este sub el.', 'Când cineva se mută, ce nu mai are voie să vadă părăsește dispozitivul la următorul contact.'] }]
			}
		],
		see: ['people', 'groups']
	},
	people: {
		title: 'Oameni',
		lead: 'Toți cei care lucrează aici, cum îi găsești și ce face un administrator cu un profil.',
		parts: [
			{
				title: 'Adu pe cineva',
				blocks: [
					{
						list: [
							'**Prin scrisoare**: lipește câte adrese vrei. Pentru fiecare se spune ce s-a întâmplat cu ea.',
							'**Prin link**: un link pentru mai mulți. Dacă nu spui altfel, îl primești pe fiecare tu însuți.',
							'**Adăugare directă**: dai o primă parolă, iar persoana alege alta la autentificare.',
							'Alege de la început departamentul și grupurile de lucru; noul venit găsește totul pregătit.'
						]
					},
					{ text: 'Invită administratorii și cei cărora li s-a dat acest drept în setări.' }
				]
			},
			{
				title: 'Când cineva pleacă',
				blocks: [
					{
						list: [
							'Concedierea încheie accesul pe toate dispozitivele la următorul lor contact. Dialogul predă altcuiva lucrul deschis.',
							'Profilul rămâne ca autor al celor scrise. Nu ocupă niciun loc, iar persoana poate fi primită înapoi.',
							'Ce nu apucase să trimită un om concediat ajunge la conducătorul lui ca propunere.',
							'Câmpurile personale ale unui om concediat pot fi șterse la cerere.'
						]
					}
				]
			},
			{ title: 'Dispozitive pierdute', blocks: [{ text: 'Fiecare își încheie sesiunile de pe dispozitive în profil; un administrator o face pe fișa persoanei. Un dispozitiv care nu mai apare se poate bloca singur după câteva zile: vezi setările.' }] }
		],
		see: ['company', 'settings']
	},
	groups: {
		title: 'Grupuri de lucru',
		lead: 'Oameni din mai multe departamente în jurul unui subiect.',
		parts: [
			{
				title: 'Feluri de grupuri',
				blocks: [{ list: ['**Deschis**: îl vede oricine și intră singur.', '**Închis**: oricine vede că există; proprietarul sau un moderator primește oamenii.', '**Secret**: doar oamenii lui și administratorii știu de el.'] }]
			},
			{ title: 'Cine îl conduce', blocks: [{ text: 'Proprietarul, care îl poate transmite, și moderatorii. Un grup arhivat rămâne de citit și poate fi reluat. Documentele se pot partaja cu un grup.' }] }
		],
		see: ['people', 'documents']
	},
	'set-aside': {
		title: 'Puse deoparte',
		lead: 'Ce nu a putut primi portalul de pe acest dispozitiv. Nimic din ele nu se pierde.',
		parts: [
			{
				title: 'De ce este ceva aici',
				blocks: [
					{ text: 'Poate ai schimbat fără rețea ceva ce altcineva a închis între timp sau ce nu mai ai voie să schimbi. Portalul păstrează atunci starea celorlalți, iar schimbarea ta stă aici, cu motivul, cu înainte și după.' }
				]
			},
			{
				title: 'Ce poți face',
				blocks: [
					{
						list: [
							'Încearcă din nou, când motivul a dispărut.',
							'Propune: cine poate hotărî vede schimbarea și o aplică sau o refuză, cu un cuvânt pentru tine.',
							'Copiaz-o, sau renunță la ea.'
						]
					}
				]
			},
			{ title: 'Propuse ție', blocks: [{ text: 'Propunerile altora pe care le poți hotărî stau tot aici. Ce aplici se întâmplă cu drepturile tale.' }] }
		],
		see: ['offline']
	},
	offline: {
		title: 'Fără rețea',
		lead: 'După o vizită totul se deschide, se caută și se scrie pe acest dispozitiv.',
		parts: [
			{
				title: 'Ce spun semnele',
				blocks: [
					{
						list: [
							'Păstrat aici: salvat pe acest dispozitiv, încă netrimis. Rămâne și dacă închizi browserul.',
							'Trimis: este pe drum. Acceptat: portalul îl are.',
							'Pus deoparte: portalul nu l-a primit; stă în secțiunea cu acest nume.'
						]
					}
				]
			},
			{
				title: 'Pentru ce trebuie rețea',
				blocks: [{ text: 'Autentificarea, invitarea oamenilor, parolele și fișierele care nu sunt pe acest dispozitiv. Ecranele o spun și păstrează ce ai tastat.' }]
			},
			{
				title: 'Instalează-l',
				blocks: [{ text: 'Browserul poate instala portalul ca aplicație: în bara de adrese pe calculator, sau „Adaugă la ecranul principal” pe telefon. Lasă browserul să păstreze datele definitiv când întreabă: altfel le poate șterge când rămâne fără spațiu.' }]
			}
		],
		see: ['set-aside', 'start']
	},
	account: {
		title: 'Profilul și autentificarea',
		lead: 'Ce văd colegii despre tine și cum dovedești cine ești.',
		parts: [
			{ title: 'Profilul', blocks: [{ text: 'Fotografia, telefonul, ziua de naștere, funcția și limba le schimbi singur, și fără rețea. Colegii le văd pe fișa ta.' }] },
			{
				title: 'Autentificarea',
				blocks: [
					{
						list: [
							'**Al doilea factor**: o aplicație de pe telefon arată un cod care se schimbă la jumătate de minut. Ține codurile de recuperare pe hârtie: fiecare merge o singură dată.',
							'**Cheile de acces** te autentifică prin blocarea dispozitivului, fără parolă.',
							'**Alte conturi**, de exemplu Google sau Microsoft, te autentifică după ce le-ai legat aici.',
							'**Dispozitive**: vezi unde ești autentificat și închei ce nu cunoști.'
						]
					},
					{ text: 'Când o sesiune expiră, ecranul rămâne cum este și cere parola. Nimic din ce ai scris nu se pierde.' }
				]
			},
			{ title: 'Mai multe companii', blocks: [{ text: 'Un cont poate aparține mai multor portaluri. Apasă numele portalului ca să treci de la unul la altul. Fiecare își păstrează datele separat pe dispozitiv.' }] }
		],
		see: ['start', 'offline']
	},
	settings: {
		title: 'Setările portalului',
		lead: 'Pentru administratori. Un portal nou nu are nevoie de niciuna; fiecare schimbare apare imediat pe toate ecranele deschise.',
		parts: [
			{
				title: 'Ce se găsește aici',
				blocks: [
					{
						list: [
							'**Compania**: nume, siglă, culoare, contact, o pagină publică pentru vizitatori și, unde îl are tariful, un domeniu propriu.',
							'**Formate**: limba, ordinea datei, 12 sau 24 de ore, prima zi a săptămânii.',
							'**Programul de lucru**, unde îl are tariful.',
							'**Comunicarea**: cine se poate adresa tuturor, și prin documente la „Companie”, cine poate invita, în numele cui pleacă scrisorile.',
							'**Serviciile**: ce este oprit dispare pentru toți și nu șterge nimic.',
							'**Intrare și securitate**: înregistrarea proprie, al doilea factor pentru toți și cine nu îl are încă, rețelele din care se poate intra, dispozitivele pierdute.',
							'**Scrisorile** care nu au putut fi trimise, cu motivul.'
						]
					}
				]
			},
			{
				title: 'Bine de știut',
				blocks: [
					{
						list: [
							'Al doilea factor se poate cere cu câteva zile de grație; până atunci oamenilor li se amintește.',
							'Din afara rețelelor permise nu se autentifică nimeni și nu se trimite nimic. Ce este pe un dispozitiv rămâne de citit acolo până la blocarea lui și pleacă la întoarcere. Administratorii sunt exceptați, ca nimeni să nu se încuie singur afară.'
						]
					}
				]
			}
		],
		see: ['licence', 'people']
	},
	licence: {
		title: 'Licența',
		lead: 'Planul tău, cât s-a folosit din el și ce aduc celelalte.',
		parts: [
			{
				title: 'Limite',
				blocks: [
					{
						list: [
							'Oamenii activi și oaspeții ocupă un loc; cei concediați nu. Spațiul este cel ocupat de fișiere, fără cele șterse.',
							'Când se atinge o limită, se refuză doar creșterea: niciun om în plus, niciun fișier în plus. Restul merge mai departe.',
							'Un plan mai mic nu ia nimic. Ce există se poate citi și exporta oricând.'
						]
					}
				]
			},
			{ title: 'Perioada demonstrativă', blocks: [{ text: 'Un administrator o poate porni o singură dată: treizeci de zile cu tot ce există. După aceea revine planul de dinainte, iar datele rămân.' }] },
			{ title: 'Schimbarea planului', blocks: [{ text: 'O face operatorul acestui server; ecranul spune cum îl găsești. Se aplică imediat pe toate ecranele deschise.' }] }
		],
		see: ['settings']
	}
};
