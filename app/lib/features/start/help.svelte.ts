/** Whether help is open, and on which topic: the frame's button, a link inside an article and the checklist all ask here. */
import type { Topic } from './help/topics.ts';

class Help {
	open = $state(false);
	/** Null: whatever belongs to the screen in sight. */
	topic = $state.raw<Topic | null>(null);

	show(topic: Topic | null = null): void {
		this.topic = topic;
		this.open = true;
	}
	close(): void {
		this.open = false;
	}
}

export const help = new Help();
