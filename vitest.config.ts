import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Deep runs (`npm run test:deep`) explore until their own budget ends, so no clock stops them.
const deep = process.env.ATRIUM_DEEP === '1';
const ignored = ['**/node_modules/**', '**/.svelte-kit/**', 'build/**', 'data/**'];

export default defineConfig({
	// Feature classes are `.svelte.ts` files; only their compiler is needed here, not SvelteKit.
	plugins: [svelte({ configFile: false })],
	test: {
		environment: 'node',
		pool: 'forks',
		// Two workers: browsers and databases of the tests take the rest of a small machine.
		maxWorkers: 2,
		projects: [
			{
				extends: true,
				test: {
					name: 'unit',
					include: ['**/*.test.ts'],
					exclude: [...ignored, 'test/e2e/**'],
					testTimeout: deep ? 0 : 30_000,
					hookTimeout: deep ? 0 : 60_000
				}
			},
			{
				extends: true,
				test: {
					name: 'e2e',
					include: ['test/e2e/*.e2e.test.ts'],
					exclude: ignored,
					// Each file starts a relay and browsers, which fill two cores: two at a time take as long, and only measure each other's load.
					fileParallelism: false,
					sequence: { groupOrder: 1 },
					testTimeout: 180_000,
					hookTimeout: 180_000
				}
			}
		]
	}
});
