import * as Y from 'yjs';
import { PAGE_SCAN_LIMITS, scan } from '#crdt-model/page/scan.ts';
import { preview } from './preview.ts';
import { PAGE_RULES, TEXT_RULES } from './rules.ts';
import { admitUpdate } from './admit.ts';
import { Relay, docOf, raw } from './testing.ts';
const b=(...v:number[])=>Uint8Array.from(v);
const LIM=Number(process.argv[2]);
const lim=<T extends {fresh:any}>(r:T)=>({...r,fresh:{...r.fresh,mergeSteps:LIM}});
const text=lim(TEXT_RULES), page=lim(PAGE_RULES);
const cpu=()=>{const u=(process as any).threadCpuUsage();return (u.user+u.system)/1000;};
function run(label:string, make:()=>Relay, bytes:Uint8Array, reps=6){
 const ts:number[]=[],ps:number[]=[]; let kind='',steps=''; 
 for(let i=0;i<reps;i++){ const relay=make(); const sc=scan(bytes,PAGE_SCAN_LIMITS) as any;
 let t=cpu(); const p=preview(relay.doc,sc,relay.rules,()=>'unbound'); ps.push(cpu()-t); steps=p.kind==='preview'?String(Math.round(p.merge.taken)):p.detail;
 t=cpu(); const a=admitUpdate(relay.doc,bytes,relay.rules,{ownerOf:()=>'unbound',mayWrite:()=>true,origin:1}); ts.push(cpu()-t); kind=a.kind; }
 const f=(x:number[])=>{x=x.slice().sort((a,c)=>a-c); return `med ${x[x.length>>1]!.toFixed(1)} max ${x.at(-1)!.toFixed(1)}`};
 console.log(label.padEnd(28),kind,'steps',steps,'| preview',f(ps),'| admit cpu ms',f(ts));
}
const up=(id:number,n:number,f:(i:number)=>Uint8Array)=>raw(1,n,id,0,Buffer.concat(Array.from({length:n},(_,i)=>f(i))),0);
const first=raw(b(4),1,'text','x');
const worn=(n:number)=>()=>{const r=new Relay(text); Y.applyUpdate(r.doc,up(100,n,i=>i?raw(b(0x44),100,i-1,'x'):first)); return r;};
for(const n of [140,300,446,630,2000]){ const k=Math.floor(LIM/(n+60)); 
 run(`asc ${n}x${k}`, worn(n), up(666,Math.min(k,20000),i=>raw(b(0x44),100,Math.max(0,i%20),'x'))); }
{const k=Math.floor(Math.sqrt(LIM*2)*0.7); run('asc self-'+k,worn(k),up(666,k,i=>raw(b(0x44),100,k-1-i,'x')));}
for(const n of [20,100,450,1000]){ // case 2
 const d=docOf(50), e=docOf(51); for(let i=0;i<n;i++){ const x=i%2?d:e,y=i%2?e:d; x.getText('text').insert(x.getText('text').length,'ab'); Y.applyUpdate(y,Y.encodeStateAsUpdate(x)); }
 const whole=Y.encodeStateAsUpdate(d); const last=(n-1)%2?50:51; const st=Y.getState(d.store,last)-1; const k=Math.min(19000,Math.floor(LIM/(n+22)));
 run(`case2 ${n}x${k}`,()=>{const r=new Relay(text); Y.applyUpdate(r.doc,whole); return r;},up(666,k,()=>raw(b(0x44),last,st,'z'))); }
{const n=Math.floor(Math.sqrt(LIM*32)*0.98); run('same key '+n,()=>new Relay(page),up(666,n,()=>raw(b(0x28),1,'root','k',1,b(120)))); }
{const n=Math.floor(LIM/34); const m=Math.min(n,8000); run('splits '+m,()=>{const r=new Relay(text); Y.applyUpdate(r.doc,raw(1,1,50,0,b(4),1,'text','y'.repeat(2*m+2),0)); return r;},up(666,m,i=>raw(b(0xc4),50,2*(m-i)-1,50,2*(m-i),'z'))); }
{const d=docOf(50); const t=d.getText('text'); d.transact(()=>{ t.insert(0,'y'.repeat(40000)); for(let i=0;i<60000;i++) t.insert(0,'q');}); const whole=Y.encodeStateAsUpdate(d); const mk=()=>{const r=new Relay(text); Y.applyUpdate(r.doc,whole); return r;};
 const k=Math.floor(LIM/(20+470)); run('60k splits-by-deletes '+k,mk,raw(0,1,50,k,...Array.from({length:k},(_,i)=>[4*i+3,1]).flat()));
 const k2=Math.floor(LIM/260); run('60k splits-by-inserts '+k2,mk,up(666,k2,i=>raw(b(0xc4),50,2*(i+1),50,2*(i+1)+1,'z'))); }
{const k=Math.floor(LIM/20.1); run('deletes '+k,()=>{const r=new Relay(text); Y.applyUpdate(r.doc,raw(1,1,50,0,b(4),1,'text','y'.repeat(100000),0)); return r;},raw(0,1,50,k,...Array.from({length:k},(_,i)=>[2*i+1,1]).flat())); 
 run('new text+deletes '+k,()=>new Relay(text),raw(1,1,60,0,b(4),1,'text','y'.repeat(100000), 1,60,k,...Array.from({length:k},(_,i)=>[2*i+1,1]).flat())); }
run('20k letters',()=>new Relay(text),up(60,20000,i=>i?raw(b(0x84),60,i-1,'x'):first));
run('20k backwards',()=>new Relay(text),up(60,20000,i=>i?raw(b(0x44),60,i-1,'x'):first));
{ const d=docOf(100); const root=d.get('root',Y.XmlText) as Y.XmlText;
 d.transact(()=>{ for(let i=0;i<1700;i++){ const p=new Y.XmlText(); root.insertEmbed(root.length,p); p.setAttribute('__type','paragraph'); p.setAttribute('__dir','ltr'); p.setAttribute('__indent',0 as never); const t=new Y.Map(); p.insertEmbed(0,t); t.set('__type','text'); t.set('__format',0); t.set('__style',''); t.set('__mode',0); p.insert(1,'hello') } });
 run('17k honest page',()=>new Relay(page),Y.encodeStateAsUpdate(d)); }
{ const k=20000-450; const n=450; const kk=Math.floor(LIM/(n+60)); run(`20k letters + asc ${kk}`, worn(n), up(666,20000,i=>i<kk?raw(b(0x44),100,Math.max(0,i%20),'x'):raw(b(0x84),666,i-1,'x'))); }
