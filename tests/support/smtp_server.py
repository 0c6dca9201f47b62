"""A mail server for the tests (aiosmtpd): prints its port, then every mail it takes, as one JSON object a line."""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

settings = json.loads(sys.argv[1])


def tell(thing):
    print(json.dumps(thing), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if settings["refusal"]:
            return settings["refusal"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        tell(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "data": envelope.content.decode(),
                "encrypted": session.ssl is not None or settings["security"] == "implicit",
                "username": session.auth_data.decode() if session.authenticated else None,
            }
        )
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and data.password.decode() == settings["password"]
    return AuthResult(success=right, auth_data=data.login if right else None)


def certificate():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings["certificate"], settings["private_key"])
    return context


def protocol():
    starttls = settings["security"] == "starttls"
    asks = bool(settings["password"])
    return SMTP(
        Handler(),
        hostname="mail.test",
        tls_context=certificate() if starttls else None,
        require_starttls=starttls,
        authenticator=authenticate if asks else None,
        auth_required=asks,
        auth_require_tls=starttls,
    )


async def main():
    implicit = certificate() if settings["security"] == "implicit" else None
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=implicit)
    tell({"port": server.sockets[0].getsockname()[1]})
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
