/** What the relay is asked about people who are not in yet: invitations, links, requests. Each answer is parsed before a screen sees it. */
import * as v from 'valibot';
import { call, type Answer } from '../../account/api.ts';
import { m } from '#lib/paraglide/messages.js';

const id = v.pipe(v.string(), v.minLength(1));
const optional = <S extends v.GenericSchema>(schema: S) => v.nullish(schema);
const ids = v.optional(v.nullable(v.array(v.string())), []);

/** Where somebody lands. */
export interface Landing {
	readonly department: string;
	readonly groups: readonly string[];
}
const landing = ({ department, groups }: Landing) => ({ ...(department && { department }), ...(groups.length > 0 && { groups }) });

const resultsSchema = v.object({ results: v.array(v.object({ address: v.string(), result: v.string(), letter: optional(v.string()) })) });
export type InvitationResult = v.InferOutput<typeof resultsSchema>['results'][number];

/** So many go to the relay in one call. */
const ADDRESSES_AT_ONCE = 100;

/** Many are sent piece by piece; what a piece before brought stands even where a later one fails. */
export async function sendInvitations(addresses: readonly string[], where: Landing, onresults: (results: readonly InvitationResult[]) => void): Promise<Answer<void>> {
	for (let at = 0; at < addresses.length; at += ADDRESSES_AT_ONCE) {
		const answer = await call('POST', '/invitations', { send: { addresses: addresses.slice(at, at + ADDRESSES_AT_ONCE), ...landing(where) }, answer: resultsSchema });
		if (!answer.ok) return answer;
		onresults(answer.value.results);
	}
	return { ok: true, value: undefined };
}

const invitationsSchema = v.object({
	invitations: v.array(
		v.object({ id, email: v.string(), department: optional(v.string()), groups: ids, invitedBy: optional(v.string()), createdAt: optional(v.number()), expiresAt: v.number(), valid: v.optional(v.boolean(), true) })
	)
});
export type OpenInvitation = v.InferOutput<typeof invitationsSchema>['invitations'][number];
export const openInvitations = () => call('GET', '/invitations', { answer: invitationsSchema });
const gone = { '404': m.company_invitation_gone };
export const withdrawInvitation = (invitation: string) => call('DELETE', `/invitations/${invitation}`, { words: gone });
const letterSchema = v.object({ letter: optional(v.string()) });
export const sendAgain = (invitation: string) => call('POST', `/invitations/${invitation}/letter`, { answer: letterSchema, words: gone });

const linkSchema = v.object({ id, code: v.string() });
export const makeLink = (where: Landing, approval: boolean, expiresInDays: number) => call('POST', '/invitation-links', { send: { ...landing(where), approval, expiresInDays }, answer: linkSchema });
const linksSchema = v.object({
	links: v.array(
		v.object({ id, department: optional(v.string()), groups: ids, approval: v.boolean(), createdBy: optional(v.string()), createdAt: optional(v.number()), expiresAt: v.number(), uses: v.optional(v.number(), 0), valid: v.optional(v.boolean(), true) })
	)
});
export type OpenLink = v.InferOutput<typeof linksSchema>['links'][number];
export const openLinks = () => call('GET', '/invitation-links', { answer: linksSchema });
export const withdrawLink = (link: string) => call('DELETE', `/invitation-links/${link}`, { words: { '404': m.company_link_gone } });

export interface NewPerson {
	readonly firstName: string;
	readonly lastName: string;
	readonly email: string;
	readonly position: string;
	readonly password: string;
}
const addedSchema = v.object({ employee: optional(v.string()), invited: optional(v.boolean()) });
export const addPerson = ({ position, ...person }: NewPerson, where: Landing) =>
	call('POST', '/people', { send: { ...person, ...(position && { position }), ...landing(where) }, answer: addedSchema, words: { 'already-member': m.company_add_member, dismissed: m.company_address_left } });

const requestsSchema = v.object({
	requests: v.array(v.object({ id, firstName: v.string(), lastName: v.string(), email: v.string(), department: optional(v.string()), groups: ids, createdAt: optional(v.number()), link: optional(v.string()), dismissed: optional(v.string()) }))
});
export type JoinRequest = v.InferOutput<typeof requestsSchema>['requests'][number];
export const joinRequests = () => call('GET', '/join-requests', { answer: requestsSchema });
const answered = { '404': m.company_request_gone };
export const approve = (request: string, where: Landing) => call('POST', `/join-requests/${request}/approval`, { send: landing(where), words: answered });
export const refuse = (request: string) => call('POST', `/join-requests/${request}/refusal`, { send: {}, words: answered });
