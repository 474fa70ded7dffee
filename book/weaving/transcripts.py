"""Console transcripts: run the command, compare what it prints.

    ```console {run="build/hello --trace" mask=hex needs=kvm status=1}
    $ build/hello --trace
    ...

The command runs from the repository's top, through `sh -c`, with stderr merged
into stdout and nothing to read on stdin. What may differ from run to run is
declared: a mask hides one kind of number, a line of three dots stands for any
number of lines. A mask that hides nothing is a problem, so none outlives its use.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess

LIMIT = 120  # seconds a command may take
DOTS = "..."

# Applied in this order. The blanks before a number go with it: they align columns.
EDGE = r"(?: +|(?<![\w.:]))"
MASKS = {
    "time": re.compile(r"\[ *\d+\.\d{6}\]|" + EDGE + r"\d\d:\d\d(?::\d\d)?(?![\w:])|"
                       + EDGE + r"\d+(?:\.\d+)? ?(?:ns|us|µs|ms|s|seconds?|minutes?)\b"),
    "hex": re.compile(EDGE + r"(?:0x[0-9a-f]+|[0-9a-f]{8,})\b"),
    "version": re.compile(EDGE + r"v?\d+(?:\.\d+)+(?:[-+~][\w.+~-]*\w)?"),
    "number": re.compile(EDGE + r"\d+(?:[.,]\d+)*(?!\w|[.,]\d)"),
}

KVM_GET_API_VERSION, KVM_CREATE_VM = 0xAE00, 0xAE01
LAB = "tests/lab/run"
RELEASE = "build/kernels/cloud/release"  # see common/kernel


def check_declared(attributes):
    """Faults in the attributes of a transcript, as texts."""
    for mask in masks_of(attributes):
        if mask not in MASKS:
            yield f"unknown mask '{mask}'; use {', '.join(MASKS)}"
    need = attributes.get("needs")
    if need and not re.match(r"(kvm|linux(:\d+\.\d+)?|tool:[\w.+-]+)$", need):
        yield f"unknown needs={need}; use kvm, linux, linux:VERSION or tool:NAME"
    if not re.match(r"\d+$", attributes.get("status", "0")):
        yield f"status={attributes['status']} is not a number; give the exit status"


def masks_of(attributes):
    return [m for m in attributes.get("mask", "").split(",") if m]


# Where a command can run.

def kvm_works():
    """None if a VM can be created here, else the reason why not."""
    try:
        kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        return f"/dev/kvm: {error.strerror}"
    try:
        if fcntl.ioctl(kvm, KVM_GET_API_VERSION, 0) != 12:
            return "/dev/kvm does not speak API version 12"
        os.close(fcntl.ioctl(kvm, KVM_CREATE_VM, 0))
    except OSError as error:
        return f"/dev/kvm cannot create a VM: {error.strerror}"
    finally:
        os.close(kvm)
    return None


def host_refuses(need):
    """Why this machine itself cannot run the command, or None if it can."""
    if os.environ.get("KVM") == "lab":
        return "KVM=lab is set"
    reason = kvm_works()
    if reason or need == "kvm":
        return reason
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        if not re.search(r"^flags\s*:.*\b(vmx|svm)\b", file.read(), re.M):
            return "KVM is software here: no vmx or svm in /proc/cpuinfo"
    return None


def another_kernel(top, version):
    """Why what Linux of this version does is not seen here, or None: it is, or is fetched yet."""
    try:
        with open(os.path.join(top, RELEASE), encoding="utf-8") as file:
            release = file.read().strip()
    except OSError:
        return None
    if release.startswith(version + "."):
        return None
    return f"the page shows Linux {version}, and this system's is {release}"


def lab_refuses(top):
    if os.environ.get("KVM") == "host":
        return "KVM=host is set"
    if not os.access(os.path.join(top, LAB), os.X_OK):
        return f"no {LAB}"
    if not shutil.which("qemu-system-x86_64"):
        return "no qemu-system-x86_64 for the lab"
    return None


def place(top, need):
    """('host' or 'lab', None), or (None, the reason to skip)."""
    if need and need.startswith("tool:"):
        tool = need[len("tool:"):]
        return ("host", None) if shutil.which(tool) else (None, f"{tool} is not installed")
    if need and need.startswith("linux:"):
        reason = another_kernel(top, need.removeprefix("linux:"))
        if reason:
            return None, reason
    on_host = host_refuses(need) if need else None
    if not on_host:
        return "host", None
    in_lab = lab_refuses(top)
    return (None, f"{on_host}; {in_lab}") if in_lab else ("lab", None)


def run(top, command, where):
    """Run it. Returns (exit status, lines of output); status None: out of time."""
    argv = ["sh", "-c", command]
    if where == "lab":
        argv = [LAB, "--"] + argv
    environment = dict(os.environ, LC_ALL="C.UTF-8", TERM="dumb", COLUMNS="80")
    child = subprocess.Popen(argv, cwd=top, env=environment, start_new_session=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    try:
        output, _ = child.communicate(timeout=LIMIT)
        status = child.returncode
        if status < 0:
            status = 128 - status  # killed by a signal: as a shell would say it
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        status = None
    text = output.decode("utf-8", errors="replace").replace("\r\n", "\n")
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return status, lines


# Comparing.

def masked(line, masks):
    for name in MASKS:
        if name in masks:
            line = MASKS[name].sub(f"<{name}>", line)
    return line


def idle_masks(shown, masks):
    """The masks that hide nothing in the lines shown, once those before them have."""
    idle = []
    for name in masks:
        order = list(MASKS)
        before = [m for m in masks if order.index(m) < order.index(name)]
        if not any(MASKS[name].search(masked(line, before)) for line in shown):
            idle.append(name)
    return idle


def first_difference(shown, printed, masks):
    """None if they agree, else (shown line, printed line) where they part.

    Lines of dots cut the page's text into runs of lines. The first run must begin
    the output, the last must end it, each other is looked for from where we are.
    """
    want = [line if line == DOTS else masked(line, masks) for line in shown]
    have = [masked(line, masks) for line in printed]
    runs, starts = split_at_dots(want)
    at = 0
    for index, lines in enumerate(runs):
        first, last = index == 0, index == len(runs) - 1
        if first:
            found = 0
        elif last:
            found = max(at, len(have) - len(lines))
        else:
            found = next((i for i in range(at, len(have) - len(lines) + 1)
                          if have[i:i + len(lines)] == lines), at)
        end = found + len(lines)
        for offset in range(len(lines)):
            if have[found + offset:found + offset + 1] != lines[offset:offset + 1]:
                return part(shown, starts[index] + offset, printed, found + offset)
        if first and last and end < len(have):
            return part(shown, len(shown), printed, end)
        at = end
    return None


def part(shown, i, printed, j):
    def get(lines, n):
        return lines[n] if n < len(lines) else "(nothing)"
    return get(shown, i), get(printed, j)


def split_at_dots(lines):
    runs, starts = [[]], [0]
    for index, line in enumerate(lines):
        if line == DOTS:
            runs.append([])
            starts.append(index + 1)
        else:
            runs[-1].append(line)
    return runs, starts
