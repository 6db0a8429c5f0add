// What a job takes of the machine, worker threads included.

/** Peak memory is that of the process so far: what is measured comes first in it. */
export async function measure(run) {
  const [start, before] = [performance.now(), process.resourceUsage()];
  const value = await run();
  const after = process.resourceUsage();
  const micro = (usage) => usage.userCPUTime + usage.systemCPUTime;
  const stage = {
    seconds: (performance.now() - start) / 1e3,
    core_seconds: (micro(after) - micro(before)) / 1e6,
    peak_memory_bytes: after.maxRSS * 1024,
  };
  return [value, stage];
}
