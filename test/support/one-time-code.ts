/** What an authenticator app shows: the code of a secret at a moment. A code is good once; the next one is thirty seconds later. */
import { totpCode } from '#sync-server/accounts/one-time-codes.ts';

/** @param secret as the relay gave it at enrolment, base32. @param atMs milliseconds since 1970 */
export const oneTimeCode = (secret: string, atMs = Date.now()): string => totpCode(secret, atMs);
