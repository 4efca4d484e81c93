import type { Articles } from './topics.ts';

export const articles: Articles = {
	start: {
		title: 'Finding your way',
		lead: 'Everything of the company in one place, on your device, with or without a network.',
		parts: [
			{
				title: 'The frame',
				blocks: [
					{
						list: [
							'At the left, or at the foot of a phone, are the sections. A number beside one says that something there waits for you.',
							'The search at the top finds records, goes anywhere and creates anything. Press **/** or **Ctrl K**.',
							'Beside it one word says where your work is: **On this device**, **Sending**, **Up to date** or **Set aside**. Press it for more.',
							'A record opens at the right and has an address of its own. **Esc** closes it.'
						]
					}
				]
			},
			{
				title: 'With the keyboard',
				blocks: [
					{
						list: [
							'**c** creates something in the section that you are in.',
							'**g** and a letter goes to a section: **g t** to the tasks.',
							'**j** and **k** move in a list, **Enter** opens, **x** selects.',
							'**?** shows the keys of the screen, **F1** opens this help. What can be dragged can also be moved with the keys.'
						]
					}
				]
			},
			{
				title: 'Language and look',
				blocks: [{ text: 'Open the menu with your name. There you choose the language and a light or a dark look; both hold for this device.' }]
			}
		],
		see: ['offline', 'account']
	},
	tasks: {
		title: 'Tasks',
		lead: 'What has to be done, by whom, until when.',
		parts: [
			{
				title: 'Give a task',
				blocks: [
					{ steps: ['Write what has to be done into the line at the top and press **Enter**, or press **c** anywhere in the section.', 'Open the task to say who is responsible, until when, who takes part and who watches.'] },
					{ text: 'A new task is yours until you give it to somebody.' }
				]
			},
			{
				title: 'Who may do what',
				blocks: [
					{
						list: [
							'Whoever gave the task sets its deadline, chooses its people, and deletes it. So do the heads above and the administrators.',
							'The responsible person moves it from state to state, passes it on, and works on its checklist and description.',
							'Participants work on checklist and description; observers read. All of them comment.',
							'With **Approve after completion** the responsible person hands it in for **Review**, and whoever gave it says that it is done.'
						]
					}
				]
			},
			{
				title: 'Find what matters',
				blocks: [{ text: '**Mine** is what you answer for or take part in, **I watch** what you observe or gave to others. The board shows the same tasks by state: carry a card with the mouse, or lift it with **Space** and move it with the arrows.' }]
			}
		],
		see: ['offline', 'set-aside']
	},
	crm: {
		title: 'CRM',
		lead: 'Each sale in its stage, with its company, its sum and the person who answers for it.',
		parts: [
			{
				title: 'From the first talk to the sale',
				blocks: [
					{
						steps: [
							'Press **New deal**. Title and sum are enough to begin.',
							'Carry the card from stage to stage on the board, or open it and choose the stage above.',
							'**Won** and **Lost** close a deal. Reopening asks once, because closed deals count in the totals.'
						]
					},
					{ text: 'The list has the same deals with filters and sums. Companies and products have lists of their own; a company shows its deals.' }
				]
			},
			{
				title: 'Who sees a deal',
				blocks: [
					{
						list: [
							'What you are responsible for is yours. Heads see the deals of everyone below them.',
							'Roles can widen or narrow that; the administrators set them under **Permissions**.',
							'A deal that you may not see never reaches your device. If you pass a deal on, it leaves your device at the next contact unless you head its new owner.',
							'**Who can see this, and why?** in the menu of a record explains it for that one record.'
						]
					}
				]
			}
		],
		see: ['permissions', 'set-aside']
	},
	permissions: {
		title: 'CRM permissions',
		lead: 'Roles say what their people may read, add, change and delete.',
		parts: [
			{
				title: 'How roles work',
				blocks: [
					{
						list: [
							'A role names people, departments or groups, and for each kind of record how far each action reaches: **Nothing**, **Own**, **Department**, **And below**, **All**.',
							'“And open ones” adds records that are marked as open to everyone in CRM.',
							'Several roles add up. Whoever has none has the usual: their own, and what is below them if they head something.',
							'Administrators may do everything.'
						]
					}
				]
			},
			{ title: 'Check it', blocks: [{ text: 'The lower part shows for one person what all roles come to. Or look on as that person: in **Company**, open the menu of a person and choose **View as**. It is read only, and it is recorded.' }] }
		],
		see: ['crm', 'people']
	},
	documents: {
		title: 'Documents',
		lead: 'Pages and texts that many write at once, and files.',
		parts: [
			{
				title: 'Write together',
				blocks: [
					{ text: 'A **page** has headings, lists, tables and links. A **text** is plain text or Markdown. Whoever has it open is shown above it, and you see what others type as they type. Without a network you go on writing; the words of both are there afterwards.' }
				]
			},
			{
				title: 'Files',
				blocks: [
					{
						list: [
							'Drop files on the list, or choose **Upload files**. Without a network they wait on this device and go up by themselves; an upload that broke off goes on where it was.',
							'**Keep on this device** opens a file without a network.',
							'Deleted files give their room back at once.'
						]
					}
				]
			},
			{
				title: 'Who has access',
				blocks: [
					{
						list: [
							'**Only me** is yours and the administrators’. **Company** is everyone’s: all may edit.',
							'**Share…** gives a person, a department or a group a level: **Read**, **Add**, **Edit**, **Edit and share**, **Everything**. Where several apply, the highest holds.'
						]
					}
				]
			}
		],
		see: ['offline']
	},
	company: {
		title: 'Company structure',
		lead: 'Departments, who heads them, and who works where. Rights follow from it.',
		parts: [
			{
				title: 'Build it',
				blocks: [
					{
						steps: [
							'Press **New department**, give it a name, and choose its head or leave it without.',
							'Carry people and departments to their place. On a touch screen, press long, then carry. With the keyboard choose them and press **m**.',
							'Carried people leave the department they come from; with **Shift** held they belong to both. After carrying with a finger, or **m**, you are asked which.'
						]
					},
					{ text: 'Deleting a department moves its people and its parts up to the one above. Everything can be undone, and all of it works without a network.' }
				]
			},
			{
				title: 'What follows from it',
				blocks: [{ list: ['Heads and their deputies see the tasks and deals of everyone in their department and below.', 'Documents can be shared with a department, alone or with everything below it.', 'When somebody moves, what they may no longer see leaves their device at its next contact.'] }]
			}
		],
		see: ['people', 'groups']
	},
	people: {
		title: 'People',
		lead: 'Everyone who works here, how to reach them, and what an administrator does with a profile.',
		parts: [
			{
				title: 'Bring somebody in',
				blocks: [
					{
						list: [
							'**By letter**: paste as many addresses as you like. Each one is told what became of it.',
							'**By link**: one link for many. Unless you say otherwise you let in each person yourself.',
							'**Add directly**: you give a first password, and the person chooses another one when signing in.',
							'Choose a department and workgroups at once; the newcomer finds everything in place.'
						]
					},
					{ text: 'Administrators invite, and whoever was given that right in the settings.' }
				]
			},
			{
				title: 'When somebody leaves',
				blocks: [
					{
						list: [
							'**Dismiss…** ends access on all devices at their next contact. The dialog hands over open work to another person.',
							'The profile stays as the author of what was written. It takes no seat, and the person can be taken back.',
							'What a dismissed person had not sent yet comes to their head as a proposal.',
							'Personal fields of a dismissed person can be erased on request.'
						]
					}
				]
			},
			{ title: 'Lost devices', blocks: [{ text: 'A person ends the sign-ins of their devices in their profile; an administrator does it on the person’s card. A device that is never seen again can lock itself after some days: see the settings.' }] }
		],
		see: ['company', 'settings']
	},
	groups: {
		title: 'Workgroups',
		lead: 'People of several departments around one subject.',
		parts: [
			{
				title: 'Kinds of groups',
				blocks: [{ list: ['**Open**: everybody sees it and joins by themself.', '**Closed**: everybody sees that it exists; the owner or a moderator lets people in.', '**Secret**: only its people and the administrators know of it.'] }]
			},
			{ title: 'Who runs it', blocks: [{ text: 'Its owner, who may pass it on, and moderators. An archived group stays readable and can be taken up again. Documents can be shared with a group.' }] }
		],
		see: ['people', 'documents']
	},
	'set-aside': {
		title: 'Set aside',
		lead: 'What the portal could not take from this device. Nothing of it is lost.',
		parts: [
			{
				title: 'Why something is here',
				blocks: [
					{ text: 'You may have changed something without a network that somebody else closed meanwhile, or that you may no longer change. The portal then keeps the others’ state, and your change lies here, with the reason, and with before and after.' }
				]
			},
			{
				title: 'What you can do',
				blocks: [
					{
						list: [
							'**Try again**, when the reason is gone.',
							'**Propose**: whoever may decide sees your change and applies or declines it, with a word to you.',
							'**Copy** it out, or **discard** it.'
						]
					}
				]
			},
			{ title: 'Proposed to you', blocks: [{ text: 'Others’ proposals that you may decide stand here too. What you apply happens under your own rights.' }] }
		],
		see: ['offline']
	},
	offline: {
		title: 'Without a network',
		lead: 'After one visit everything opens, searches and writes on this device.',
		parts: [
			{
				title: 'What the marks say',
				blocks: [
					{
						list: [
							'**Kept here**: saved on this device, not sent yet. It survives closing the browser.',
							'**Sent**: on its way. **Accepted**: the portal has it.',
							'**Set aside**: the portal did not take it; it lies in the section of that name.'
						]
					}
				]
			},
			{
				title: 'What needs a network',
				blocks: [{ text: 'Signing in, inviting people, passwords, and files that are not on this device. The screens say so, and keep what you typed.' }]
			},
			{
				title: 'Install it',
				blocks: [{ text: 'Your browser can install the portal as an app: in the address bar of a computer, or “Add to home screen” on a phone. Let the browser keep the data for good when it asks: otherwise it may clear it when space is short.' }]
			}
		],
		see: ['set-aside', 'start']
	},
	account: {
		title: 'Your profile and your sign-in',
		lead: 'What colleagues see of you, and how you prove that it is you.',
		parts: [
			{ title: 'Profile', blocks: [{ text: 'Photo, phone, birthday, position and language are yours to change, without a network too. Colleagues see them on your card.' }] },
			{
				title: 'Signing in',
				blocks: [
					{
						list: [
							'**Second factor**: an app on your phone shows a code that changes every half a minute. Keep the recovery codes on paper: each works once.',
							'**Passkeys** sign you in by your device’s lock, without a password.',
							'**Other accounts**, such as Google or Microsoft, sign you in once you have linked them here.',
							'**Devices**: see where you are signed in, and end what you do not know.'
						]
					},
					{ text: 'When a sign-in has run out the screen stays as it is and asks for the password. Nothing that you wrote is lost.' }
				]
			},
			{ title: 'Several companies', blocks: [{ text: 'One account can belong to several portals. Press the portal’s name to change between them. Each keeps its own data on the device.' }] }
		],
		see: ['start', 'offline']
	},
	settings: {
		title: 'Settings of the portal',
		lead: 'For administrators. A fresh portal needs none of them; every change shows on all open screens at once.',
		parts: [
			{
				title: 'What is there',
				blocks: [
					{
						list: [
							'**Company**: name, logo, colour, contact, a public page for visitors, and, where the tariff has it, a domain of your own.',
							'**Formats**: language, order of dates, 12 or 24 hours, first day of the week.',
							'**Working hours**, where the tariff has them.',
							'**Communication**: who may address everybody, also by documents in “Company”, who may invite, in whose name letters go.',
							'**Services**: what is switched off disappears for everyone and deletes nothing.',
							'**Entry & security**: self-registration, second factor for all and who has none yet, networks that people may come from, lost devices.',
							'**Letters** that could not be sent, with the reason.'
						]
					}
				]
			},
			{
				title: 'Good to know',
				blocks: [
					{
						list: [
							'A second factor can be demanded with some days of grace; until then people are reminded.',
							'From outside the allowed networks nobody signs in and nothing is sent. What is on a device stays readable there until its lock, and goes up when it is back. Administrators are exempt, so that nobody locks themself out.'
						]
					}
				]
			}
		],
		see: ['licence', 'people']
	},
	licence: {
		title: 'Licence',
		lead: 'Your plan, what is used of it, and what the others bring.',
		parts: [
			{
				title: 'Limits',
				blocks: [
					{
						list: [
							'Active people and guests take a seat; the dismissed do not. Storage is what files take, without deleted ones.',
							'When a limit is reached, only growing is refused: nobody more, no more files. Everything else goes on.',
							'A smaller plan takes nothing away. What is there can always be read and exported.'
						]
					}
				]
			},
			{ title: 'Demo', blocks: [{ text: 'An administrator can start it once: thirty days with everything. Afterwards the plan of before holds again, and the data stays.' }] },
			{ title: 'Changing the plan', blocks: [{ text: 'The operator of this server changes it; the screen says how to reach them. It holds at once on all open screens.' }] }
		],
		see: ['settings']
	}
};
