/** What happens in a simulated company: one step is one thing that somebody does, or that goes wrong. */
import { changeTariff, dismissOrRehire, grant, joinOrLeave, giveRole, propose, answerProposal, reorganise, switchServices } from './act-company.ts';
import { actOnDeal, actOnTask, actOnText, makeSomething } from './act-work.ts';
import { tick } from './clock.ts';
import type { Device } from './device.ts';
import { forge } from './forger.ts';
import type { World } from './world.ts';

type Act = (world: World, device: Device) => Promise<void>;

const DAY_MS = 24 * 3_600_000;

/** Weights: how often each happens beside the others. */
const ACTS: readonly (readonly [weight: number, act: Act])[] = [
	[22, actOnTask],
	[14, actOnDeal],
	[10, actOnText],
	[5, makeSomething],
	[5, reorganise],
	[4, joinOrLeave],
	[3, giveRole],
	[4, grant],
	[4, propose],
	[3, answerProposal],
	[4, dismissOrRehire],
	[3, changeTariff],
	[3, switchServices],
	[5, forge],
	[44, deliver],
	[12, async (world) => world.releaseCommit()],
	[4, async (world) => void (world.isDiskFree = world.random.chance(0.5))],
	[5, async (_world, device) => void (device.isOnline = !device.isOnline)],
	[2, beAway],
	[3, drop],
	[3, crashDevice],
	[1, (world) => world.crashRelay()],
	[1, async (world) => world.backUp()],
	[2, (world) => world.restore()],
	[1, async (world) => void (world.random.chance(0.3) && world.store.failNext(1))]
];
const TOTAL = ACTS.reduce((sum, [weight]) => sum + weight, 0);

export async function step(world: World): Promise<void> {
	const { random } = world;
	if (world.needsPortal) await world.openPortal();
	world.clock.advance(random.below(400));
	world.accept();
	let at = random.below(TOTAL);
	const [, act] = ACTS.find(([weight]) => (at -= weight) < 0)!;
	await act(world, random.pick(world.devices));
	await tick();
}

/** Days pass for everybody; one device sees nothing of them. */
async function beAway(world: World, device: Device): Promise<void> {
	world.tally.daysAway++;
	device.isOnline = false;
	device.line?.drop();
	world.note(`days pass, ${device.name} is away`);
	world.clock.advance((1 + world.random.below(world.random.chance(0.5) ? 3 : 30)) * DAY_MS);
}

async function deliver(world: World, device: Device): Promise<void> {
	const { random } = world;
	for (let i = 1 + random.below(6); i > 0 && device.line; i--) {
		const twice = random.chance(0.05);
		if (!(random.chance(0.5) ? device.line.deliverUp(twice) : device.line.deliverDown(twice))) continue;
		if (random.chance(0.5)) await tick();
	}
}

async function drop(world: World, device: Device): Promise<void> {
	world.tally.drops++;
	device.line?.drop();
}

async function crashDevice(world: World, device: Device): Promise<void> {
	world.tally.deviceCrashes++;
	world.note(`${device.name} dies and starts again`);
	await device.crash();
}
