/** Words shared by Board, its columns and whoever uses them. */

export interface BoardColumnInfo<T> {
	id: string;
	title: string;
	items: readonly T[];
	/** The column's own colour, drawn as a dot. */
	dot?: string;
	/** A second line under the title, such as a sum. */
	note?: string;
}

export interface BoardMove {
	key: string;
	from: string;
	to: string;
	/** Place in the target column, counted without the moved card. */
	index: number;
	/** Keys of the neighbours at that place, for a fractional position. */
	before: string | undefined;
	after: string | undefined;
}

/** Where a lifted card would land. */
export interface DropPlace {
	column: string;
	index: number;
}
