"""The work of tests/run: builds, suites, and one plain line at the end."""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
SUITES = ('unit', 'role', 'fuzz', 'san', 'lint', 'system')
FUZZ_SECONDS = int(os.environ.get('UNITPOST_FUZZ_SECONDS', '10'))
SANITIZE = ['-Db_sanitize=address,undefined', '-Db_lundef=false']
SANITIZER_ENVIRONMENT = {
    'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=1:strict_string_checks=1',
    'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1',
}
# Machines mostly wait; everything else is one test per processor.
PARALLEL = {'system': '4'}


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []

    def add(self, name, good):
        if good:
            self.passed += 1
        else:
            self.failed.append(name)

    def add_log(self, suite, path):
        """One JSON object a line, written by `meson test`."""
        try:
            rows = [json.loads(line) for line in path.read_text().splitlines()]
        except (OSError, ValueError):
            rows = []
        if not rows:
            self.add(f'{suite}: no test ran', False)
        for row in rows:
            good = row['result'] in ('OK', 'EXPECTEDFAIL')
            self.add(f'{suite}: {row["name"]}: {row["result"]}', good)
            # What a test measured is worth seeing when it passes, too.
            for line in (row.get('stderr') or '').splitlines():
                if line.startswith('figure: '):
                    print(line.removeprefix('figure: '))


def say(text):
    print(f'\n=== {text}', flush=True)


def run(argv, **options):
    environment = {**os.environ, **options.pop('env', {})}
    return subprocess.run(list(map(str, argv)), check=False, env=environment,
                          stdin=subprocess.DEVNULL, **options).returncode


def build(directory, options, targets=(), **environment):
    """Configure when needed, and compile. A directory that cannot be used is made anew."""
    for attempt in (1, 2):
        good = True
        if not (directory / 'build.ninja').exists():
            good = run(['meson', 'setup', directory, TOP, '--werror', *options],
                       env=environment, stdout=subprocess.DEVNULL) == 0
        if good and run(['ninja', '-C', directory, '--quiet', *targets]) == 0:
            return True
        if attempt == 1 and directory.exists() and not good:
            run(['rm', '-rf', directory])
    return False


def meson_suite(tally, directory, suite, label, **environment):
    log = directory / 'meson-logs' / f'testlog-{suite}.json'
    log.unlink(missing_ok=True)
    jobs = PARALLEL.get(suite, str(os.cpu_count() or 1))
    run(['meson', 'test', '-C', directory, '--suite', suite, '--no-rebuild', '--num-processes',
         jobs, '--print-errorlogs', '--logbase', f'testlog-{suite}'], env=environment)
    tally.add_log(label, log)


def fuzz_targets(directory):
    listing = subprocess.run(['ninja', '-C', directory, '-t', 'targets', 'all'], check=False,
                             capture_output=True, text=True).stdout
    return sorted(set(re.findall(r'^(\S*tests/fuzz/fuzz-[a-z0-9-]+):', listing, re.M)))


def fuzz_one(directory, target):
    name = pathlib.Path(target).name
    new_inputs = directory / 'new-inputs' / name
    new_inputs.mkdir(parents=True, exist_ok=True)
    corpus = TOP / 'tests/fuzz/corpus' / name.removeprefix('fuzz-')
    done = subprocess.run(
        [directory / target, f'-max_total_time={FUZZ_SECONDS}', '-timeout=10', '-rss_limit_mb=2048',
         f'-artifact_prefix={new_inputs}/', new_inputs, corpus],
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
        env={**os.environ, **SANITIZER_ENVIRONMENT})
    output = (done.stdout + done.stderr).decode(errors='replace')
    return name, done.returncode == 0, output


def fuzz(tally):
    """New inputs for each parser, for a few seconds; a finding is a failure."""
    directory = TOP / 'build-fuzz'
    say(f'fuzz: libFuzzer, {FUZZ_SECONDS} s a target')
    # Configured first, because only a configured directory knows the targets' names.
    targets = []
    if build(directory, ['-Dfuzz=true', *SANITIZE], ['build.ninja'], CC='clang'):
        targets = fuzz_targets(directory)
    if not targets or not build(directory, [], targets):
        tally.add('fuzz: cannot be built with clang', False)
        return
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for name, good, output in pool.map(lambda t: fuzz_one(directory, t), targets):
            last = re.findall(r'Done (\d+) runs', output)
            print(f'{name}: {"no finding" if good else "FINDING"}'
                  f'{" in " + last[-1] + " runs" if last else ""}', flush=True)
            if not good:
                print(output[-8000:])
            tally.add(f'fuzz: {name}', good)


def run_suites(suites, tally):
    plain = TOP / 'build-run'
    if set(suites) - {'san'}:
        say('build')
        if not build(plain, []):
            for suite in suites:
                tally.add(f'{suite}: the build failed', False)
            return
    for suite in suites:
        started = time.monotonic()
        say(suite)
        if suite == 'san':
            sanitized = TOP / 'build-san'
            if not build(sanitized, SANITIZE):
                tally.add('san: the build failed', False)
                continue
            for part in ('unit', 'role', 'fuzz'):
                meson_suite(tally, sanitized, part, f'san {part}', **SANITIZER_ENVIRONMENT)
        else:
            meson_suite(tally, plain, suite, suite)
            if suite == 'fuzz':
                fuzz(tally)
        print(f'({suite}: {time.monotonic() - started:.0f} s)', flush=True)


def main():
    suites = sys.argv[1:] or list(SUITES)
    unknown = [suite for suite in suites if suite not in SUITES]
    if unknown:
        print(f'tests/run: no suite is called {" ".join(unknown)}; there are {" ".join(SUITES)}',
              file=sys.stderr)
        return 64
    tally = Tally()
    try:
        run_suites(suites, tally)
    except KeyboardInterrupt:
        tally.add('interrupted', False)
    print()
    for name in tally.failed:
        print(f'failed: {name}')
    print(f'{tally.passed} passed, {len(tally.failed)} failed')
    return 1 if tally.failed else 0


if __name__ == '__main__':
    sys.exit(main())
