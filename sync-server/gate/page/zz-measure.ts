import * as Y from 'yjs';
import { PAGE_SCAN_LIMITS, scan } from '#crdt-model/page/scan.ts';
import { preview } from './preview.ts';
import { PAGE_RULES, TEXT_RULES } from './rules.ts';
import { admitUpdate } from './admit.ts';
import { Relay, docOf, raw } from './testing.ts';
const b=(...v:number[])=>Uint8Array.from(v);
const LIMIT=Number(process.argv[2]??1e9);
const text={...TEXT_RULES,fresh:{...TEXT_RULES.fresh,mergeSteps:LIMIT,structs:1e6}};
const page={...PAGE_RULES,fresh:{...PAGE_RULES.fresh,mergeSteps:LIMIT,structs:1e6}};
let setAdds=0;
function run(label:string, relay:Relay, bytes:Uint8Array, count=false){
 const sc=scan(bytes,PAGE_SCAN_LIMITS); if(sc.kind==='refused') return console.log(label,sc);
 let t=performance.now(); const p=preview(relay.doc,sc,relay.rules,()=>'unbound'); const tp=performance.now()-t;
  t=performance.now(); const a=admitUpdate(relay.doc,bytes,relay.rules,{ownerOf:()=>'unbound',mayWrite:()=>true,origin:1}); const ta=performance.now()-t;
 console.log(label.padEnd(40), 'bytes',bytes.length,'steps',p.kind==='preview'?Math.round(p.merge.taken):p.detail,'preview',tp.toFixed(1),'admit',ta.toFixed(1),a.kind, p.kind==='preview'?((ta-tp)*1e6/p.merge.taken).toFixed(0)+' ns/step':'');
}
if(!process.argv[3]) for(let warm=0;warm<2;warm++) for(const n of [300,450,630,1000]){
 // ascending right origins
 const parts:any[]=[b(4),1,'text','x'];
 const r=new Relay(text);
 const base=Array.from({length:n},(_,i)=>raw(b(4),1,'text','y'));
 run('ids base '+n, r, raw(1,n,50,0,Buffer.concat(base),0));
 const asc=Array.from({length:n},(_,i)=>raw(b(0x44),50,n-1-i,'z'));
 run('asc right '+n, r, raw(1,n,60,0,Buffer.concat(asc),0));
 const r2=new Relay(text); r2.submit('ann',raw(1,n,50,0,Buffer.concat(base),0));
 run('desc right '+n, r2, raw(1,n,60,0,Buffer.concat(asc.slice().reverse()),0));
 const r3=new Relay(text);
 const self=[raw(b(4),1,'text','z'),...Array.from({length:n},(_,i)=>raw(b(0x44),60,i,'z'))];
 run('self right '+n, r3, raw(1,self.length,60,0,Buffer.concat(self),0));
}
for(const n of [2000,4000,8000,16000]){
 const r=new Relay(page);
 const m=Array.from({length:n},()=>raw(b(0x28),1,'root','k',1,b(120)));
 run('same key '+n, r, raw(1,n,60,0,Buffer.concat(m),0));
}
for(const n of [2000,8000,20000]){ // splits: one long string, inserts in its middle, from the front
 const r=new Relay(text); r.submit('ann',raw(1,1,50,0,b(4),1,'text','y'.repeat(2*n+2),0));
 const m=Array.from({length:n},(_,i)=>raw(b(0xc4),50,2*(n-i),50,2*(n-i)+1,'z'));
 run('splits front '+n, r, raw(1,n,60,0,Buffer.concat(m),0));
}
{ // big store then splits at the front and deletes
 const n=60000; const r=new Relay(text); 
 const d=docOf(50); const t=d.getText('text'); d.transact(()=>{ t.insert(0,'y'.repeat(40000)); for(let i=0;i<n;i++) t.insert(0,'q');});
 Y.applyUpdate(r.doc,Y.encodeStateAsUpdate(d)); console.log('held',r.doc.store.clients.get(50)!.length);
 const m=Array.from({length:5000},(_,i)=>raw(b(0xc4),50,2*(i+1),50,2*(i+1)+1,'z'));
 run('big store splits 5000', r, raw(1,5000,60,0,Buffer.concat(m),0));
 const r2=new Relay(text); Y.applyUpdate(r2.doc,Y.encodeStateAsUpdate(d));
 run('big store deletes 5000', r2, raw(0,1,50,5000,...Array.from({length:5000},(_,i)=>[4*i+3,1]).flat()));
 const r4=new Relay(text); Y.applyUpdate(r4.doc,Y.encodeStateAsUpdate(d));
 run('big store deletes aligned 5000', r4, raw(0,1,50,5000,...Array.from({length:5000},(_,i)=>[40000+4*i+3,1]).flat()));
}

// case 2: a long held chain, walked from the start
for(const n of [100,450,1000]){ const r=new Relay(text); const k=Math.floor(200000/n);
 const d=docOf(50), e=docOf(51); for(let i=0;i<n;i++){ const x=i%2?d:e,y=i%2?e:d; x.getText('text').insert(x.getText('text').length,'ab'); Y.applyUpdate(y,Y.encodeStateAsUpdate(x)); }
 Y.applyUpdate(r.doc,Y.encodeStateAsUpdate(d));
 const last=(n-1)%2?50:51; const cl=Y.getState(r.doc.store,last)-1;
 const m=Array.from({length:k},()=>raw(b(0x44),last,cl,'z'));
 for(const id of [60,40]) run('case2 '+n+' id '+id, r, raw(1,k,id,0,Buffer.concat(m),0));
}
// honest structs
for(const n of [5000,10000,20000]){ const d=docOf(100); const root=d.get('root',Y.XmlText) as Y.XmlText;
 d.transact(()=>{ for(let i=0;i<n/10;i++){ const p=new Y.XmlText(); root.insertEmbed(root.length,p); p.setAttribute('__type','paragraph'); p.setAttribute('__dir','ltr'); p.setAttribute('__indent',0 as never); const t=new Y.Map(); p.insertEmbed(0,t); t.set('__type','text'); t.set('__format',0); t.set('__style',''); t.set('__mode',0); p.insert(1,'hello') } });
 for(let k=0;k<3;k++){ const r=new Relay(page); run('honest '+n,r,Y.encodeStateAsUpdate(d)); } }
// deletes of many ranges in new text and in a held one
{ const n=30000; const r=new Relay(text); r.submit('ann',raw(1,1,50,0,b(4),1,'text','y'.repeat(2*n+2),0));
 for(const k of [5000,10000,30000]) run('deletes '+k, r, raw(0,1,50,k,...Array.from({length:k},(_,i)=>[2*i+1,1]).flat()));
 const r2=new Relay(text); run('new+deletes', r2, raw(1,1,60,0,b(4),1,'text','y'.repeat(2*n+2), 1,60,n,...Array.from({length:n},(_,i)=>[2*i+1,1]).flat())); }
// two people at one place, 20,000 keystrokes each in runs
for(const run1 of [5,20]){ const mk=(id:number,seed:number)=>{const d=docOf(id); Y.applyUpdate(d,base); const t=d.getText('text'); d.transact(()=>{ let at=5,s=seed; for(let i=0;i<20000;i++){ if(i%run1===0){ s=(s*48271)%2147483647; at=5+s%(t.length-9);} t.insert(at++,'x'); } }); return d;};
 const o=docOf(9); o.getText('text').insert(0,'0123456789'); const base=Y.encodeStateAsUpdate(o);
 const A=mk(60,7),B=mk(50,11),C=mk(70,13); const r=new Relay(text); Y.applyUpdate(r.doc,base); const sv=Y.encodeStateVector(o);
 for(const d of [A,B,C]) run('runs of '+run1+' id '+d.clientID,r,Y.encodeStateAsUpdate(d,sv)); }
// backwards: each prepends n blocks at the top
for(const n of [200,450,1000]){ const r=new Relay(text); const o=docOf(9); o.getText('text').insert(0,'0'); const sv=Y.encodeStateVector(o); Y.applyUpdate(r.doc,Y.encodeStateAsUpdate(o));
 for(const id of [50,60,40]){ const d=docOf(id); Y.applyUpdate(d,Y.encodeStateAsUpdate(o)); d.transact(()=>{for(let i=0;i<n;i++) d.getText('text').insert(0,'ab');}); run('prepend '+n+' id '+id,r,Y.encodeStateAsUpdate(d,sv)); } }

console.log('--- 20k minimal');
for(let k=0;k<4;k++){ const r=new Relay(page); const m=[raw(b(7),1,'root',6),...Array.from({length:19999},(_,i)=> i%4? raw(b(0x28),0,60,i-(i%4),'k'+(i%4),1,b(120)) : raw(b(0x87),60,i,6))];
 run('20k page',r,raw(1,m.length,60,0,Buffer.concat(m),0)); }
for(let k=0;k<4;k++){ const r=new Relay(text); const m=[raw(b(4),1,'text','x'),...Array.from({length:19999},(_,i)=> raw(b(0x84),60,i,'x'))];
 run('20k letters',r,raw(1,m.length,60,0,Buffer.concat(m),0)); }
for(let k=0;k<4;k++){ const r=new Relay(text); const m=[raw(b(4),1,'text','x'),...Array.from({length:19999},(_,i)=> raw(b(0x44),60,i,'x'))];
 run('20k backwards',r,raw(1,m.length,60,0,Buffer.concat(m),0)); }
for(let k=0;k<4;k++){ const r=new Relay(text); const c=Number(process.argv[4]??9000); const m=Array.from({length:2*c},(_,i)=> i<2?raw(b(4),1,'text','x'):i<c?raw(b(0x84),60,i-1,'x'):raw(b(0xc4),60,c-1,60,0,'x'));
 run('long run',r,raw(1,m.length,60,0,Buffer.concat(m),0)); }
