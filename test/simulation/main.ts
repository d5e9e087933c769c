import { firstBoot } from './first-boot.ts';
import { STRATEGY_NAMES } from './strategies.ts';
const seed0 = Number(process.argv[2] ?? 1), n = Number(process.argv[3] ?? 5);
for (const strategy of STRATEGY_NAMES) {
  const t = performance.now();
  let ev = 0;
  const causes = new Map<string, number>();
  let shown = 0;
  for (let i = 0; i < n; i++) {
    const o = await firstBoot({ seed: seed0 + i, strategy, keepsTrace: n === 1 });
    ev += o.events;
    if (n === 1) console.log(o.trace.join('\n'));
    if (o.cause) causes.set(o.cause, (causes.get(o.cause) ?? 0) + 1);
    if (o.broken.length && shown++ < 5) console.log(o.seed, o.verdict, o.broken);
  }
  console.log(strategy, (performance.now() - t) / n, 'ms/boot', ev / n, 'events', causes);
}
