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
