"""A mail server of another make (aiosmtpd) for tests. Options as JSON in argv[1]; tells its port, then each message, as JSON lines."""
import asyncio
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

options = json.loads(sys.argv[1])


def tell(what):
    print(json.dumps(what), flush=True)


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if options.get("hangAtMail"):
            await asyncio.sleep(3600)
        envelope.mail_from = address
        return options.get("mail", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        answer = options.get("rcpt", {}).get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        text = envelope.content.decode("utf-8")
        tell({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None, "user": session.auth_data and session.auth_data.decode(), "content": text})
        if options.get("cutAfterData"):
            server.transport.abort()
        return options.get("data", "250 OK")


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"hilum" and data.password == b"secret"
    return AuthResult(success=good, handled=good, auth_data=data.login if good else None)


class Server(Controller):
    def factory(self):
        return SMTP(self.handler, **self.SMTP_kwargs)


context = None
if options.get("cert"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["cert"], options["key"])
implicit = options.get("security") == "implicit"
kwargs = {"hostname": "mail.example"}
if context and not implicit:
    kwargs.update(tls_context=context, require_starttls=True)
if options.get("auth"):
    kwargs.update(authenticator=authenticate, auth_required=True, auth_require_tls=not implicit)
controller = Server(Handler(), hostname="127.0.0.1", port=options["port"], ssl_context=context if implicit else None, ready_timeout=20, server_kwargs=kwargs)
controller.start()
tell({"port": options["port"]})
sys.stdin.read()
controller.stop()
