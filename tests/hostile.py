"""Submissions that try to gain points without an answer, or to do harm. They are text: only the sandbox runs them."""

from textwrap import dedent

STUB = "\ndef uniform_bound(std):\n    return 2.0\n"

HOSTILE = {
    "equals everything": dedent("""\
        class E(float):
            __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda s, o: True
            __sub__ = __rsub__ = lambda s, o: 0.0
        def uniform_bound(std):
            return E(2)
    """),
    "tensor subclass": dedent("""\
        import torch
        class T(torch.Tensor):
            @classmethod
            def __torch_function__(cls, f, t, a=(), k=None):
                return True
        def uniform_bound(std):
            return torch.zeros(()).as_subclass(T)
    """),
    "patches the comparison": dedent("""\
        import torch
        torch.allclose = torch.equal = lambda *a, **k: True
    """)
    + STUB,
    "patches the checks": dedent("""\
        import stablenets.checks as c
        c.check = lambda *a, **k: 'full marks'
    """)
    + STUB,
    "imports the package's answer": dedent("""\
        from stablenets.init import *
    """)
    + STUB,
    "imports the checks": dedent("""\
        from stablenets.checks.exercise import EXERCISES
    """)
    + STUB,
    "patches the messages": dedent("""\
        from stablenets.grading import wire
        wire.send = lambda c, v: c.sendall(b'\\0' * 8)
    """)
    + STUB,
    "forges replies": dedent("""\
        import os
        for f in range(3, 64):
            try:
                os.write(f, b'\\0\\0\\0\\x13\\0\\0\\0\\0["value", 1.73205]')
            except OSError:
                pass
    """)
    + STUB,
    "returns a pickle": dedent("""\
        def uniform_bound(std):
            return b'cos\\nsystem\\n(S"touch ~/x"\\ntR.'
    """),
    "raises what a check would": dedent("""\
        class Mistake(Exception): pass
        def uniform_bound(std):
            raise Mistake('full marks')
    """),
    "raises to pass": dedent("""\
        def uniform_bound(std):
            raise SystemExit(0)
    """),
    "leaves the process": dedent("""\
        import os
        def uniform_bound(std):
            os._exit(0)
    """),
    "leaves in a cell": dedent("""\
        def uniform_bound(std):
            return 2.0
        import os; os._exit(0)
    """),
    "kills all it can": dedent("""\
        import os, signal
        try:
            os.kill(-1, 9)
        except OSError:
            pass
    """)
    + STUB,
    "segmentation fault": dedent("""\
        import ctypes
        def uniform_bound(std):
            ctypes.string_at(0)
    """),
    "endless loop": dedent("""\
        def uniform_bound(std):
            while True: pass
    """),
    "endless loop, deaf": dedent("""\
        import signal
        for s in set(signal.Signals) - {9, 19}:
            try:
                signal.signal(s, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        def uniform_bound(std):
            while True: pass
    """),
    "memory": dedent("""\
        def uniform_bound(std):
            return len([bytearray(2**26) for _ in range(200)])
    """),
    "memory of children": dedent("""\
        import os, time
        def uniform_bound(std):
            for _ in range(12):
                if os.fork() == 0:
                    b = bytearray(os.urandom(1)) * 2**27; time.sleep(30); os._exit(0)
            time.sleep(30)
            return 2.0
    """),
    "fork bomb": dedent("""\
        import os
        def uniform_bound(std):
            while True:
                try:
                    os.fork()
                except OSError:
                    pass
    """),
    "threads": dedent("""\
        import threading, time
        def uniform_bound(std):
            while True: threading.Thread(target=time.sleep, args=(60,)).start()
    """),
    "huge result": dedent("""\
        import torch
        def uniform_bound(std):
            return torch.zeros(2**25)
    """),
    "deep result": dedent("""\
        def uniform_bound(std):
            x = []
            for _ in range(100000): x = [x]
            return x
    """),
    "huge integer": dedent("""\
        def uniform_bound(std):
            return 10**1000000
    """),
    "not finite": dedent("""\
        def uniform_bound(std):
            return float('nan')
    """),
    "fills the disk": dedent("""\
        def uniform_bound(std):
            for i in range(1000):
                open(f'{i}', 'wb').write(bytes(2**20))
            return 2.0
    """),
    "prints without end": dedent("""\
        def uniform_bound(std):
            while True: print('x' * 10**6)
    """),
    "waits for input": dedent("""\
        def uniform_bound(std):
            return float(input())
    """),
    "stays after the end": dedent("""\
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0: time.sleep(600)
            os._exit(0)
    """)
    + STUB,
    "slow bytes": dedent("""\
        import os, time, socket
        def uniform_bound(std):
            for f in range(3, 64):
                try:
                    s = socket.socket(fileno=os.dup(f))
                except OSError:
                    continue
                s.sendall(b'\\0\\0\\xff\\xff\\0\\0\\0\\0')
                while True: s.sendall(b' '); time.sleep(.2)
    """),
}


def raw(messages: str, data: str = "b''") -> str:
    """A submission that answers every call with these words in place of a message."""
    return FORGERY.replace("MESSAGES", messages).replace("DATA", data)


FORGERY = dedent("""\
    from stablenets.grading import wire
    send, texts, count = wire.send, MESSAGES, [0]
    def forge(connection, value):
        if value[0] != 'value':
            return send(connection, value)
        count[0] += 1
        head, data = texts[count[0] % len(texts)].encode('utf-8', 'surrogatepass'), DATA
        connection.sendall(wire.LENGTHS.pack(len(head), len(data)) + head + data)
    wire.send = forge
    def uniform_bound(variance):
        return 1.0
""")

# Tampering with the interpreter, the shell, the worker and its line.
HOSTILE |= {
    "says that it is right": raw("""['["right", 2]', '["value", true]', '["full marks"]', 'true', '"2/2"']"""),
    "malformed messages": raw("""[
        '["value", {"tensor": "float64", "shape": [2147483647, 2147483647, 0]}]', '["value", {"floats": -1}]',
        '["value", {"array": "object", "shape": []}]', '["value", {"dict": [[[], 1]]}]', '[' * 100000,
        '["value", ' + '9' * 5000 + ']', '["value", {"scalar": "float64", "shape": [3]}]',
        '["value", {"complex": [1, ""]}]',
        '["value", {"tensor": "bool", "shape": [true]}]', '["value", {"opaque": "\\ud800' + 'a' * 10 ** 6 + '"}]',
    ]"""),
    "errors out of the ordinary": raw("""[
        '["error", "Mistake", "full marks"]', '["error", "Stopped", ""]', '["error", "SandboxError", "x"]',
        '["error", "KeyboardInterrupt", "x"]', '["error", "' + 'k' * 10 ** 6 + '", "' + 'x' * 10 ** 6 + '"]',
        '["error", "\\ud800", "\\ud800\\u202e\\u0000"]', '["error", "", ""]', '["error"]', '{}',
        '["error", 5, {"tuple": []}]',
    ]"""),
    "lengths beyond all limits": dedent("""\
        from stablenets.grading import wire
        wire.send = lambda connection, value: connection.sendall(b'\\xff' * 64)
    """) + STUB,
    "many empty arrays": raw("""['["value", [' + ','.join(['{"tensor": "int8", "shape": [0]}'] * 60000) + ']]']"""),
    "as many kinds as fit": raw("""['["value", [' + ','.join('{"opaque": "%9d"}' % i for i in range(9999)) + ']]']"""),
    "bits that are no booleans": raw("""['["value", {"tensor": "bool", "shape": []}]']""", r"b'\xff'"),
    "answers that come twice": dedent("""\
        from stablenets.grading import wire
        send = wire.send
        wire.send = lambda connection, value: (send(connection, value), send(connection, ('value', 1.7)))
    """) + STUB,
    "answers of before": dedent("""\
        from stablenets.grading import wire
        send, first = wire.send, []
        def forge(connection, value):
            first.append(value)
            send(connection, first[0])
        wire.send = forge
    """) + STUB,
    "takes the line from the frames": dedent("""\
        import sys
        def uniform_bound(variance):
            frame = sys._getframe()
            while 'connection' not in frame.f_locals:
                frame = frame.f_back
            line = frame.f_locals['connection']
            for _ in range(1000):
                line.sendall(b'\\0\\0\\0\\x0d\\0\\0\\0\\0["value", 1.]')
            return 1.0
    """),
    "takes the line from the garbage collector": dedent("""\
        import gc, socket
        for line in gc.get_objects():
            if isinstance(line, socket.socket):
                line.shutdown(2); line.close()
    """) + STUB,
    "rewrites the worker": dedent("""\
        import gc, types
        for f in gc.get_objects():
            if isinstance(f, types.FunctionType) and f.__module__.startswith('stablenets.grading.inside'):
                f.__code__ = (lambda *a: ('value', True)).__code__
    """) + STUB,
    "traces the worker": dedent("""\
        import sys, threading
        def trace(frame, event, argument):
            for name in ('points', 'maximum', 'reply', 'request'):
                if name in frame.f_locals:
                    frame.f_locals[name] = ('value', True)
            return trace
        sys.settrace(trace); sys.setprofile(trace); threading.settrace(trace)
        sys._getframe(6).f_trace = trace
    """) + STUB,
    "tampers with the shell": dedent("""\
        import builtins
        ip = get_ipython()
        ip.run_cell = lambda *a, **k: None
        ip.events.register('post_run_cell', lambda *a: 1 / 0)
        ip.user_ns['check'] = builtins.callable = lambda *a: True
        builtins.type = builtins.isinstance = lambda *a: True
        class Names(dict):
            def __contains__(self, name): return True
            def __getitem__(self, name): return lambda *a: True
        ip.user_ns = Names(ip.user_ns)
    """) + STUB,
    "shell lines": dedent("""\
        %%bash
        kill -9 -1; kill -STOP 1; kill -9 1; for i in $(seq 3 200); do eval "echo '[\\"value\\", 1]' >&$i"; done
        rm -rf ~ /course /student /tmp/* /usr/lib/python3
    """),
    "stops the keeper and itself": dedent("""\
        import os
        def uniform_bound(variance):
            for process in (1, os.getppid(), 0):
                try:
                    os.kill(process, 19)
                except OSError:
                    pass
            os.kill(os.getpid(), 19)
    """),
    "a thread that edits later": dedent("""\
        import gc, threading, time, sys
        def edit():
            while True:
                time.sleep(.01)
                for module in list(sys.modules.values()):
                    if getattr(module, '__name__', '').startswith('stablenets'):
                        module.__dict__.update(dict.fromkeys(list(vars(module)), lambda *a, **k: True))
        threading.Thread(target=edit, daemon=True).start()
    """) + STUB,
    "right from the third call on": dedent("""\
        calls = []
        def uniform_bound(variance):
            calls.append(variance)
            return (3 * variance) ** .5 if len(calls) > 2 else 0.
    """),
}  # fmt: skip
# Results that are no plain values.
HOSTILE |= {
    f"result: {name}": dedent(text) + f"\ndef uniform_bound(variance):\n    return {result}\n"
    for name, (text, result) in {
        "fake shape": ("""\
            import torch
            class T(torch.Tensor):
                shape = property(lambda s: torch.Size([]))
                dtype = property(lambda s: torch.float64)
                numpy = detach = cpu = contiguous = reshape = view = lambda s, *a, **k: s
                tobytes = lambda s: bytes(8)
                def __eq__(s, o): return True
                __class__ = float
        """, "torch.zeros(9).as_subclass(T)"),
        "conversions that raise": ("""\
            class X:
                def __getattr__(s, n): raise MemoryError(n)
                __float__ = __len__ = __iter__ = __array__ = __reduce__ = __index__ = __del__ = __hash__ = __eq__ = None
            class Y(BaseException):
                __str__ = __repr__ = lambda s: 1 / 0
            class D(dict):
                def items(s): raise Y
        """, "D(a=X())"),
        "conversions without end": ("""\
            class L(list):
                def __iter__(s):
                    while True: yield s
                __len__ = lambda s: 1 if not s else 10 ** 18
        """, "L([1.])"),
        "conversion in the end": ("""\
            class X:
                def __del__(s):
                    while True: pass
        """, "X()"),
        "its own name": ("""\
            class M(type):
                __name__ = property(lambda s: {'value': [1] * 10 ** 6})
            class X(metaclass=M): pass
        """, "X()"),
        "meta tensor": ("import torch", "torch.empty(2 ** 40, device='meta')"),
        "sparse tensor": ("import torch", "torch.sparse_coo_tensor([[0]], [1.], (2 ** 40,))"),
        "quantized tensor": ("import torch", "torch.quantize_per_tensor(torch.ones(()), 1., 0, torch.quint8)"),
        "expanded tensor": ("import torch", "torch.ones(()).expand(2 ** 50)"),
        "overlapping array": (
            "import numpy as np", "np.lib.stride_tricks.as_strided(np.ones(1), (2 ** 40,), (0,))"
        ),
        "object array": ("import numpy as np", "np.array([print, {}, None], dtype=object)"),
        "text array": ("import numpy as np", "np.array(['1.7'])"),
        "cycle": ("c = {}; c['c'] = [c]", "c"),
        "cycles with branches": ("c = []; c += [c] * 9", "c"),
        "generator": ("", "(x for x in iter(int, 1))"),
        "infinity": ("", "float('inf')"),
        "complex": ("", "complex((3 * variance) ** .5, 1)"),
        "code": ("", "compile('1', '', 'eval')"),
        "text": ("", "str((3 * variance) ** .5)"),
        "itself": ("", "uniform_bound"),
        "huge text": ("", "'9' * 10 ** 8"),
        "a long list of one number": ("", "[variance] * 10 ** 8"),
    }.items()
}  # fmt: skip
# Errors that do not stay what they are.
HOSTILE |= {
    f"error: {name}": dedent(text) + "\ndef uniform_bound(variance):\n    raise E('x' * 10**7)\n"
    for name, text in {
        "text without end": "class E(Exception):\n    def __str__(s):\n        while True: pass",
        "text that raises": "class E(Exception):\n    def __str__(s): raise KeyboardInterrupt",
        "text that is none": "class E(Exception):\n    __str__ = lambda s: 5",
        "long text": "E = ValueError",
        "nobody catches it": "class E(BaseException): pass",
        "named as the grader's": "class SandboxError(Exception): pass\nE = SandboxError",
        "control characters": "class E(Exception):\n    __str__ = lambda s: '\\x1b[2J\\u202e\\ud800\\0</script>'",
        "interrupt": "E = KeyboardInterrupt",
        "of generators": "E = GeneratorExit",
    }.items()
}
# What a machine runs out of.
HOSTILE |= {
    f"exhausts: {name}": dedent(text)
    for name, text in {
        "inodes": """\
            def uniform_bound(variance):
                for i in range(10 ** 6): open(f'{i}', 'w').close()
        """,
        "memory of sockets": """\
            import os, socket, time
            def uniform_bound(variance):
                keep = []
                for _ in range(4): os.fork()
                while True:
                    try:
                        for s in socket.socketpair():
                            keep.append(s); s.setblocking(False)
                            while True: s.send(bytes(2 ** 15))
                    except BlockingIOError:
                        pass
                    except OSError:
                        time.sleep(1)
        """,
        "page tables": """\
            import ctypes, numpy as np
            def uniform_bound(variance):
                mmap, size = ctypes.CDLL(None).mmap, 2 ** 42
                mmap.restype, mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_long] * 4
                start = mmap(None, size, 1, 0x4022, -1, 0)
                return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(start))[::2 ** 21].sum()
        """,
        "stack": """\
            import sys
            sys.setrecursionlimit(10 ** 9)
            def uniform_bound(variance): return uniform_bound(variance)
        """,
        "compiler": "def uniform_bound(variance): return eval('(' * 10**6)",
        "parser": "x = " + "(" * 5000,
        "big numbers": "def uniform_bound(variance): return 9 ** 9 ** 9",
        "regular expressions": "import re\ndef uniform_bound(variance): return re.match('(a*)*b', 'a' * 99)",
        "orphans": """\
            import os
            def uniform_bound(variance):
                while True:
                    try:
                        if os.fork() == 0:
                            if os.fork() == 0: os._exit(0)
                            os._exit(0)
                        os.wait()
                    except OSError: pass
        """,
        "shared memory": """\
            import mmap, os
            def uniform_bound(variance):
                for _ in range(12):
                    m = mmap.mmap(-1, 2 ** 26)
                    for i in range(0, 2 ** 26, 4096): m[i] = 1
                    if os.fork(): os.wait()
                return variance
        """,
        "time": "import time\ndef uniform_bound(variance): time.sleep(10 ** 6)",
        "locks and terminals": """\
            import os
            def uniform_bound(variance):
                while True:
                    try: os.openpty()
                    except OSError: os.fork()
        """,
    }.items()
}

# Nothing but the clock ends these.
ENDLESS = {
    "endless loop", "endless loop, deaf", "slow bytes", "prints without end", "stops the keeper and itself",
    "result: cycles with branches", "error: text without end", "exhausts: big numbers", "exhausts: regular expressions",
    "exhausts: time",
}  # fmt: skip

START = "import ctypes, errno, glob, os, socket, subprocess\nc = ctypes.CDLL(None, use_errno=True)\n"
# Each returns what it has reached outside: nothing.
PROBES = {
    name: START + dedent(text)
    for name, text in {
        "names of files": """\
            def probe(secret):
                found = []
                for folder, folders, files in os.walk('/'):
                    folders[:] = [f for f in folders if os.path.join(folder, f) not in ('/proc', '/usr/share')]
                    names = [f for f in files + folders if secret in f or f in ('solutions', 'results.sqlite')]
                    found += [folder + '/' + f for f in names] + [folder] * ('draws.py' in files)
                return found
        """,
        "the course's answers": """\
            def probe(secret):
                found = []
                for name in ('checks.exercise', 'checks.run', 'init', 'meanfield', 'grading.grade', 'grading.session'):
                    try:
                        __import__('stablenets.' + name); found.append(name)
                    except ImportError:
                        pass
                return found
        """,
        "texts of processes": """\
            def probe(secret):
                found = []
                for path in glob.glob('/proc/[0-9]*/*') + glob.glob('/proc/[0-9]*/task/*/*') + glob.glob('/proc/*'):
                    name = os.path.basename(path)
                    if name in ('kmsg', 'pagemap', 'mem', 'kcore', 'kpagecount', 'kpageflags') or '/self' in path:
                        continue
                    try:
                        with open(path, 'rb') as f:
                            if secret.encode() in f.read(10 ** 6): found.append(path)
                    except OSError:
                        pass
                return found
        """,
        "memory of others": """\
            def probe(secret):
                found = []
                for process in {1, 2, os.getppid()} - {os.getpid()}:
                    for name in ('mem', 'environ', 'fd', 'maps', 'root', 'cwd', 'exe', 'ns/mnt', 'map_files'):
                        try:
                            path = f'/proc/{process}/{name}'
                            (os.listdir if os.path.isdir(path) else lambda p: open(p, 'rb').read(1) or 1 / 0)(path)
                            found.append(path)
                        except (OSError, ZeroDivisionError):
                            pass
                    found += [process] * (c.ptrace(16, process, 0, 0) == 0)
                return found
        """,
        "open files": """\
            def probe(secret):
                found = []
                for f in range(3, 4096):
                    try:
                        path = os.readlink(f'/proc/self/fd/{f}')
                    except OSError:
                        continue
                    if not path.startswith(('socket:', '/dev/null')): found.append(path)
                    elif path[0] == 's' and socket.socket(fileno=os.dup(f)).family != 1: found.append(path)
                return found
        """,
        "sockets of others": """\
            def probe(secret):
                found = open('/proc/net/unix').read().count(secret)
                s = socket.socket(socket.AF_UNIX)
                for name in ('\\0' + secret, '\\0/tmp/.X11-unix/X0', '/run/docker.sock', '/run/dbus/system_bus_socket'):
                    try:
                        s.connect(name); return [name]
                    except OSError:
                        pass
                return [] if not found else [found]
        """,
        "every family of sockets": """\
            def probe(secret):
                found = []
                for family in set(range(1, 64)) - {socket.AF_UNIX}:
                    for kind in range(1, 11):
                        try:
                            socket.socket(family, kind).close(); found.append((family, kind))
                        except OSError:
                            pass
                return found
        """,
        "shared memory and keys": """\
            def probe(secret):
                lines = [l for f in ('shm', 'sem', 'msg') for l in open('/proc/sysvipc/' + f).read().splitlines()[1:]]
                keys = open('/proc/keys').read().splitlines() if os.path.exists('/proc/keys') else []
                return lines + os.listdir('/dev/shm') + [k for k in keys if secret in k]
        """,
        "refused system calls": """\
            from stablenets.grading.inside import system_calls as s
            def probe(secret):
                found, column = [], s.MACHINES[os.uname().machine][1]
                for name, numbers in s.DENIED.items():
                    ctypes.set_errno(0)
                    refused = c.syscall(numbers[column], *[-1] * 6) == -1 and ctypes.get_errno() == errno.EPERM
                    found += [name] * (not refused)
                for flag in (0x10000000, 0x10020000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000, 0x2000000):
                    child = c.syscall(s.MACHINES[os.uname().machine][2], flag | 17, 0, 0, 0, 0)
                    if child == 0: os._exit(0)
                    if child > 0: found.append(hex(flag))
                return found + [n for n in (435, 0x40000000 + 39) if c.syscall(n, 0, 0) != -1]
        """,
        "settings of the kernel": """\
            def probe(secret):
                found = []
                settings = [f'{folder}/{f}' for folder, _, files in os.walk('/proc/sys') for f in files]
                for path in settings + ['/proc/sysrq-trigger', '/proc/1/oom_score_adj', '/proc/1/uid_map',
                                        '/proc/self/uid_map', '/proc/1/attr/current', '/sys/kernel/uevent_helper']:
                    try:
                        with open(path, 'r+b', buffering=0) as f: f.write(b'0')
                        found.append(path)
                    except OSError:
                        pass
                try:
                    with open('/proc/self/oom_score_adj', 'w') as f: f.write('-999')
                    found.append('oom')
                except OSError:
                    pass
                return found + glob.glob('/sys/*') + glob.glob('/**/release_agent')
        """,
        "devices": """\
            import stat
            def probe(secret):
                found = [p for p in os.listdir('/dev') if stat.S_ISBLK(os.lstat('/dev/' + p).st_mode)]
                usual = {'null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'pts', 'shm', 'fd', 'core',
                         'stdin', 'stdout', 'stderr', 'console'}
                found += sorted(set(os.listdir('/dev')) - usual)
                for folder in (os.environ['HOME'], '/tmp', '/dev/shm'):
                    for kind, number in ((stat.S_IFCHR, (1, 1)), (stat.S_IFBLK, (8, 0)), (stat.S_IFBLK, (254, 0))):
                        try:
                            os.mknod(folder + '/node', kind | 0o666, os.makedev(*number)); found.append(number)
                        except OSError:
                            pass
                return found
        """,
        "the terminal": """\
            import fcntl
            def probe(secret):
                found = []
                for path in ('/dev/tty', '/dev/console', *glob.glob('/dev/pts/[0-9]*')):
                    for request in (0x5412, 0x541C):
                        try:
                            fcntl.ioctl(os.open(path, os.O_RDWR), request, b'x'); found.append(path)
                        except OSError:
                            pass
                return found
        """,
        "programs with more rights": """\
            def probe(secret):
                found = []
                for path in glob.glob('/usr/*bin/*'):
                    if os.path.basename(path) in ('su', 'sudo', 'pkexec', 'doas') and os.stat(path).st_mode & 0o6000:
                        run = subprocess.run([path, '-c', 'id -u'], capture_output=True, stdin=subprocess.DEVNULL)
                        found += [path] * (run.stdout.strip() == b'0')
                for change in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]),
                               lambda: os.chroot('/tmp'), lambda: os.nice(-1), lambda: socket.sethostname('x')):
                    try:
                        change(); found.append(change.__code__.co_names)
                    except OSError:
                        pass
                return found
        """,
        "limits": """\
            import resource as r
            def probe(secret):
                found = []
                for name in ('DATA', 'FSIZE', 'NOFILE', 'NPROC', 'CPU', 'MEMLOCK', 'MSGQUEUE', 'RTPRIO'):
                    kind = getattr(r, 'RLIMIT_' + name)
                    if r.getrlimit(kind)[1] == r.RLIM_INFINITY: found.append(name)
                    try:
                        r.setrlimit(kind, (r.getrlimit(kind)[1] + 1,) * 2); found.append('more ' + name)
                    except (OSError, ValueError):
                        pass
                try:
                    r.setrlimit(r.RLIMIT_CORE, (0, 0)); found.append('cores')
                except (OSError, ValueError):
                    pass
                return found
        """,
    }.items()
}  # fmt: skip

# Leaves something of itself in every place that a process reads when it starts.
STAYS = dedent("""\
    import atexit, builtins, glob, os, site, sys, threading, torch, numpy
    home = os.environ['HOME']
    places = [*filter(None, sys.path), site.getusersitepackages(), home, home + '/.ipython/profile_default/startup',
              '/course', '/course/stablenets', '/course/stablenets/grading', '/etc', '/tmp', '/dev/shm',
              os.path.dirname(torch.__file__)]
    names = ['sitecustomize.py', 'usercustomize.py', 'x.pth', 'torch.py', '00-x.py', '.bashrc', 'ld.so.preload',
             '__init__.py', 'wire.py', '__pycache__/wire.cpython-311.pyc', 'ipython_config.py']
    for place in places:
        for name in names:
            try:
                os.makedirs(os.path.dirname(f'{place}/{name}'), exist_ok=True)
                open(f'{place}/{name}', 'a').write('import os; os.environ["STAYED"] = "1"')
            except OSError:
                pass
    os.environ.update(PYTHONSTARTUP=home + '/x.py', PYTHONPATH=home, LD_PRELOAD=home + '/x.so', STAYED='1')
    torch.allclose = numpy.allclose = builtins.abs = builtins.sum = lambda *a, **k: True
    torch.set_default_dtype(torch.float64); sys.path.insert(0, home); sys.modules['stayed'] = sys
    atexit.register(print, 1); threading.Thread(target=threading.Event().wait, daemon=True).start()
    if os.fork() == 0:
        os.setsid(); threading.Event().wait()
    def left(): return 1
""")
