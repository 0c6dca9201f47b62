"""A relying party by Authlib, unmodified: every step asserts what a user of that library would rely on, and prints one line.
The server, its people and its clients come by the environment."""

import html
import json
import os
import re
import time
import secrets
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

ISSUER = os.environ["ISSUER"]
SECRET = os.environ["CLIENT_SECRET"]
PASSWORD = os.environ["PASSWORD"]
AUTHORITY = os.environ["CERTIFICATE"]


def done(step):
    print(f"done: {step}", flush=True)


# ---- a browser, as far as one is needed ------------------------------------------------------------------------------


class Browser:
    def __init__(self):
        self.session = requests.Session()
        self.session.verify = AUTHORITY

    def go(self, url, form=None):
        for _ in range(10):
            if form is None:
                answer = self.session.get(url, allow_redirects=False)
            else:
                answer = self.session.post(url, data=form, allow_redirects=False)
            if answer.status_code != 303:
                return url, answer.text
            url, form = urljoin(url, answer.headers["Location"]), None
            if not url.startswith(ISSUER):
                return url, ""
        raise AssertionError("too many redirects")

    def submit(self, url, page, fields):
        action = html.unescape(re.search(r'<form[^>]* action="([^"]*)"', page)[1])
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
        return self.go(urljoin(url, action), [(name, html.unescape(value)) for name, value in hidden] + fields)

    def visit(self, url):
        url, page = self.go(url)
        if 'id="login-submit"' in page:
            url, page = self.submit(url, page, [("username", "ada"), ("password", PASSWORD)])
        if 'id="consent-allow"' in page:
            boxes = [("scope", scope) for scope in re.findall(r'name="scope" value="([^"]*)"', page)]
            url, page = self.submit(url, page, boxes + [("decision", "allow")])
        return url


METADATA = requests.get(f"{ISSUER}/.well-known/openid-configuration", verify=AUTHORITY).json()
assert METADATA["issuer"] == ISSUER


def session(client_id, secret, scope, method="client_secret_basic"):
    made = OAuth2Session(
        client_id,
        secret,
        scope=scope,
        redirect_uri=f"https://{client_id}.example.com/callback",
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        code_challenge_method="S256",
    )
    made.verify = AUTHORITY
    return made


def claims_of(id_token, client_id, nonce, access_token):
    keys = KeySet.import_key_set(requests.get(METADATA["jwks_uri"], verify=AUTHORITY).json())
    token = jwt.decode(id_token, keys, algorithms=["RS256", "ES256", "EdDSA"])
    claims = CodeIDToken(
        token.claims,
        token.header,
        {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": client_id}},
        {"nonce": nonce, "access_token": access_token, "client_id": client_id},
    )
    claims.validate()
    return claims


def code_flow(made, browser=None):
    verifier, nonce = generate_token(48), secrets.token_urlsafe(16)
    url, state = made.create_authorization_url(METADATA["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    came = (browser or Browser()).visit(url)
    assert came.startswith(made.redirect_uri), came
    assert parse_qs(urlsplit(came).query)["iss"] == [ISSUER]
    token = made.fetch_token(
        METADATA["token_endpoint"], authorization_response=came, state=state, code_verifier=verifier
    )
    return token, claims_of(token["id_token"], made.client_id, nonce, token["access_token"])


def refused(error, call):
    try:
        call()
    except OAuthError as raised:
        assert raised.error == error, raised
    else:
        raise AssertionError(f"{error} was expected")


def introspect(made, token):
    answer = made.introspect_token(METADATA["introspection_endpoint"], token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()


# ---- the steps ---------------------------------------------------------------------------------------------------------


def confidential():
    made = session("web", SECRET, "openid profile email offline_access photos.read")
    token, claims = code_flow(made)
    assert claims["amr"] == ["pwd"]
    done("code flow with PKCE, state, nonce, iss and an ID token")
    userinfo = made.get(METADATA["userinfo_endpoint"]).json()
    assert (userinfo["sub"], userinfo["email"]) == (claims["sub"], "ada@example.com")
    done("userinfo")
    refreshed = made.refresh_token(METADATA["token_endpoint"], refresh_token=token["refresh_token"])
    assert introspect(made, refreshed["access_token"])["active"] is True
    done("refresh and introspection")
    made.revoke_token(METADATA["revocation_endpoint"], token=token["refresh_token"])
    assert introspect(made, refreshed["access_token"]) == {"active": False}
    refused(
        "invalid_grant",
        lambda: made.refresh_token(METADATA["token_endpoint"], refresh_token=token["refresh_token"]),
    )
    done("revocation")
    refused("invalid_client", lambda: session("web", "wrong", "openid").fetch_token(METADATA["token_endpoint"], code="x"))
    done("a wrong secret is refused")


def service():
    made = session("service", SECRET, "photos.read")
    token = made.fetch_token(METADATA["token_endpoint"], grant_type="client_credentials")
    assert "id_token" not in token and token["token_type"] == "Bearer"
    done("client credentials")


def assertion(audience):
    # An assertion of an hour, as this library makes them unasked, lives too long here (threat 59); and one with claims
    # of its own is made for one request, since the library keeps the jti among them.
    return PrivateKeyJWT(audience, claims={"exp": int(time.time()) + 120}, alg="ES256")


def private_key_jwt():
    key = ECKey.import_key(json.loads(os.environ["PRIVATE_JWK"]))
    made = session("habit", key, "openid offline_access", "private_key_jwt")
    # this library names the token endpoint as the audience of its assertions: the client is registered for that
    made.register_client_auth_method(assertion(METADATA["token_endpoint"]))
    token, _ = code_flow(made)
    made.register_client_auth_method(assertion(METADATA["token_endpoint"]))
    made.refresh_token(METADATA["token_endpoint"], refresh_token=token["refresh_token"])
    done("private_key_jwt with the token endpoint as audience")
    strict = session("asserter", key, "openid", "private_key_jwt")
    strict.register_client_auth_method(assertion(METADATA["token_endpoint"]))
    refused("invalid_client", lambda: strict.fetch_token(METADATA["token_endpoint"], code="x"))
    done("the token endpoint as audience is refused of other clients")
    strict.register_client_auth_method(assertion(ISSUER))
    code_flow(strict)
    done("private_key_jwt")


def pushed():
    # By hand, as logout() and registration(): this library has no such call.
    made = session("web", SECRET, "openid")
    verifier = generate_token(48)
    parameters = {
        "response_type": "code",
        "client_id": "web",
        "redirect_uri": made.redirect_uri,
        "scope": "openid",
        "state": "pushed",
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    endpoint = METADATA["pushed_authorization_request_endpoint"]
    answer = requests.post(endpoint, data=parameters, auth=("web", SECRET), verify=AUTHORITY)
    assert answer.status_code == 201, answer.text
    browser = Browser()
    names = {"client_id": "web", "request_uri": answer.json()["request_uri"]}
    url = requests.Request("GET", METADATA["authorization_endpoint"], params=names).prepare().url
    came = browser.visit(url)
    made.fetch_token(
        METADATA["token_endpoint"], authorization_response=came, state="pushed", code_verifier=verifier
    )
    done("pushed authorization request, by hand")


def logout():
    made = session("leaver", SECRET, "openid")
    browser = Browser()
    token, _ = code_flow(made, browser)
    hints = {
        "id_token_hint": token["id_token"],
        "post_logout_redirect_uri": "https://leaver.example.com/bye",
        "state": "a state",
    }
    url = requests.Request("GET", METADATA["end_session_endpoint"], params=hints).prepare().url
    url, page = browser.go(url)
    if 'id="logout-confirm"' in page:
        url, page = browser.submit(url, page, [])
    assert url == "https://leaver.example.com/bye?state=a+state", url
    done("RP-initiated logout, by hand")


def registration():
    metadata = {
        "client_name": "Registered by Authlib",
        "redirect_uris": ["https://registered.example.com/callback"],
        "token_endpoint_auth_method": "client_secret_post",
    }
    bearer = {"Authorization": f"Bearer {os.environ['INITIAL_ACCESS_TOKEN']}"}
    answer = requests.post(METADATA["registration_endpoint"], json=metadata, headers=bearer, verify=AUTHORITY)
    assert answer.status_code == 201, answer.text
    client = answer.json()
    made = session(client["client_id"], client["client_secret"], "openid", "client_secret_post")
    made.redirect_uri = metadata["redirect_uris"][0]
    code_flow(made)
    bearer = {"Authorization": f"Bearer {client['registration_access_token']}"}
    where = client["registration_client_uri"]
    assert requests.get(where, headers=bearer, verify=AUTHORITY).json()["client_name"] == metadata["client_name"]
    assert requests.delete(where, headers=bearer, verify=AUTHORITY).status_code == 204
    refused("invalid_client", lambda: made.fetch_token(METADATA["token_endpoint"], code="x"))
    done("dynamic registration by hand, from the first to the last")


confidential()
service()
private_key_jwt()
pushed()
logout()
registration()
