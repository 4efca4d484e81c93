import { step } from './act.ts';
import { bringToRest, expectAtRest } from './check.ts';
import { newTally, World } from './world.ts';
import { Portal } from '#sync-server/room/portal.ts';
const from = Number(process.argv[2]), n = Number(process.argv[3] ?? 1);
const tally = newTally();
for (let seed = from; seed < from + n; seed++) {
  const w = new World(seed, tally);
  try { await w.open(); await bringToRest(w); for (let i=0;i<90;i++) await step(w);
    if (process.argv[4]) { const P:any = w.portal; const o = P.audience.closeAll.bind(P.audience); P.audience.closeAll=(c:any,r:any)=>{console.log('closeAll',c,r,new Error().stack); o(c,r)};  }
    await bringToRest(w); await expectAtRest(w); }
  catch (e) { console.log('seed', seed, w.story.slice(process.argv[4] ? -200:-15).join('\n')); console.log(e); console.log(w.needsPortal, w.portal.log.hasFailed); if (process.argv[4]) for (const d of w.devices) console.log(d.name, d.person, d.replica.status(), d.line?.state); break; }
}
console.log(tally);
process.exit(0);
