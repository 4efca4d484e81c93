/** Something that the operator can mend, or should know; its message is the one line that they see. */
export class Problem extends Error {}
