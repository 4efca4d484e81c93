/** What `@lucide/svelte/icons/<name>` exports, as a prop type. */
import type { Component } from 'svelte';
import type { LucideProps } from '@lucide/svelte';

export type IconComponent = Component<LucideProps>;
