import * as Y from 'yjs';
import { Relay, docOf, raw } from './testing.ts';
import { TEXT_RULES } from './rules.ts';
const n=60000; const d=docOf(50); const t=d.getText('text'); d.transact(()=>{ t.insert(0,'y'.repeat(40000)); for(let i=0;i<n;i++) t.insert(0,'q');});
for (const [k,step,len] of [[5000,4,1],[2500,4,1],[2500,8,1]]) {
const r2=new Relay({...TEXT_RULES,fresh:{...TEXT_RULES.fresh,mergeSteps:1e9}}); Y.applyUpdate(r2.doc,Y.encodeStateAsUpdate(d));
const up=raw(0,1,50,k,...Array.from({length:k},(_,i)=>[step*i+3,len]).flat());
let s=performance.now(); console.log(r2.submit('m',up).kind, performance.now()-s);
const plain=new Y.Doc(); plain.getText('text'); Y.applyUpdate(plain,Y.encodeStateAsUpdate(d)); s=performance.now(); Y.applyUpdate(plain,up); console.log('plain',performance.now()-s);
}
