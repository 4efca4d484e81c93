/**
 * The kinds of nodes that a page may hold, as Lexical names them. An editor that meets a kind which it does not know breaks for everyone
 * who has the page open, so the gate lets in only these, and the app registers all of them (a test compares). A new kind comes with a
 * version of the app: it is added here first and written by editors a release later.
 */
export const PAGE_NODE_TYPES: ReadonlySet<string> = new Set([
	'root', 'paragraph', 'text', 'linebreak', 'tab',
	'heading', 'quote', 'code', 'code-highlight', 'link',
	'list', 'listitem',
	'table', 'tablerow', 'tablecell'
]);

/** Where @lexical/yjs v1 keeps a node's kind: an attribute of an XmlText, an entry of a Map. */
export const NODE_TYPE_KEY = '__type';
