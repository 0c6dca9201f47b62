// A relying party by openid-client, unmodified: every step asserts what a user of that library would rely on, and prints
// one line. The server, its people and its clients come by the environment.
import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import * as oidc from 'openid-client'

// Debian 12 has Node 18, where these are not global yet; the library finds them when it is called
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

const { ISSUER, CLIENT_SECRET, PASSWORD, PRIVATE_JWK, INITIAL_ACCESS_TOKEN } = process.env
const issuer = new URL(ISSUER)
const done = (step) => console.log(`done: ${step}`)

// ---- a browser, as far as one is needed ---------------------------------------------------------------------------

class Browser {
  cookies = new Map()

  async go(url, form) {
    for (let hops = 0; hops < 10; hops += 1) {
      const headers = { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
      const options = form ? { method: 'POST', body: new URLSearchParams(form), headers } : { headers }
      const answer = await fetch(url, { ...options, redirect: 'manual' })
      // an older fetch knows several of a name only as one text; our cookies have no comma in them
      const joined = () => (answer.headers.get('set-cookie') ?? '').split(/, (?=[\w-]+=)/).filter(Boolean)
      for (const cookie of answer.headers.getSetCookie?.() ?? joined()) {
        const [name, value] = cookie.split(';')[0].split('=')
        this.cookies.set(name, value)
      }
      if (answer.status !== 303) return { url: new URL(url), status: answer.status, html: await answer.text() }
      url = new URL(answer.headers.get('location'), url)
      form = undefined
      if (url.origin !== issuer.origin) return { url, status: 303, html: '' }
    }
    throw new Error('too many redirects')
  }

  /// Submits the one form of a page: its hidden fields, and these.
  submit(page, fields) {
    const unescape = (text) => text.replaceAll('&#38;', '&').replaceAll('&amp;', '&').replaceAll('&#x3D;', '=')
    const action = unescape(page.html.match(/<form[^>]* action="([^"]*)"/)[1])
    const form = Object.fromEntries(
      [...page.html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, unescape(value)]),
    )
    const pairs = new URLSearchParams(form)
    for (const [name, value] of fields) pairs.append(name, value)
    return this.go(new URL(action, page.url), pairs)
  }

  /// Signs in and agrees to everything, as far as each is asked for.
  async visit(url) {
    let page = await this.go(url)
    if (page.html.includes('id="login-submit"')) {
      page = await this.submit(page, [['username', 'ada'], ['password', PASSWORD]])
    }
    if (page.html.includes('id="consent-allow"')) {
      const boxes = [...page.html.matchAll(/name="scope" value="([^"]*)"/g)].map(([, scope]) => ['scope', scope])
      page = await this.submit(page, [...boxes, ['decision', 'allow']])
    }
    return page.url
  }
}

async function refused(promise, code) {
  await assert.rejects(promise, (error) => error.error === code || error.cause?.error === code || assert.fail(error))
}

// ---- the steps -----------------------------------------------------------------------------------------------------

async function codeFlow(config, redirect_uri, scope, build = oidc.buildAuthorizationUrl, browser = new Browser()) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const expectedState = oidc.randomState()
  const expectedNonce = oidc.randomNonce()
  const url = await build(config, {
    redirect_uri,
    scope,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
  })
  const came = await browser.visit(url)
  assert.equal(came.origin + came.pathname, redirect_uri)
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  const tokens = await oidc.authorizationCodeGrant(config, came, checks)
  return { tokens, came, checks, browser }
}

async function confidential() {
  const config = await oidc.discovery(issuer, 'web', undefined, oidc.ClientSecretBasic(CLIENT_SECRET))
  const scope = 'openid profile email offline_access photos.read'
  const { tokens, came, checks } = await codeFlow(config, 'https://web.example.com/callback', scope)
  const sub = tokens.claims().sub
  assert.equal(tokens.claims().iss, ISSUER)
  done('code flow with PKCE, state, nonce, iss and an ID token')
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, sub)
  assert.equal(userinfo.email, 'ada@example.com')
  done('userinfo')
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  assert.equal(refreshed.claims().sub, sub)
  done('refresh')
  assert.equal((await oidc.tokenIntrospection(config, refreshed.access_token)).active, true)
  done('introspection')
  const silent = await oidc.refreshTokenGrant(config, tokens.refresh_token, { resource: 'https://api.example.com/photos' })
  assert.equal((await oidc.tokenIntrospection(config, silent.access_token)).aud, 'https://api.example.com/photos')
  await refused(oidc.refreshTokenGrant(config, tokens.refresh_token, { resource: 'https://api.example.com/mail' }), 'invalid_target')
  done('resource indicators at refresh')
  await oidc.tokenRevocation(config, tokens.refresh_token)
  assert.equal((await oidc.tokenIntrospection(config, refreshed.access_token)).active, false)
  await refused(oidc.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant')
  done('revocation')
  await refused(oidc.authorizationCodeGrant(config, came, checks), 'invalid_grant')
  done('a code that comes again is refused')
  const wrong = await oidc.discovery(issuer, 'web', undefined, oidc.ClientSecretBasic('wrong'))
  // The library takes the challenge (RFC 6749 §5.2) for the whole answer.
  const challenged = (error) => error.status === 401 && error.cause[0].scheme === 'basic'
  await assert.rejects(oidc.clientCredentialsGrant(wrong), challenged)
  done('a wrong secret is refused')
}

async function publicClient() {
  const config = await oidc.discovery(issuer, 'spa', undefined, oidc.None())
  const { tokens } = await codeFlow(config, 'https://spa.example.com/callback', 'openid offline_access')
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(next.refresh_token, tokens.refresh_token)
  done('a public client and its rotating refresh token')
}

async function service() {
  const config = await oidc.discovery(issuer, 'service', undefined, oidc.ClientSecretBasic(CLIENT_SECRET))
  const tokens = await oidc.clientCredentialsGrant(config, { resource: 'https://api.example.com/photos' })
  assert.equal(tokens.token_type, 'bearer')
  assert.equal(tokens.id_token, undefined)
  done('client credentials')
}

async function pushed() {
  const metadata = { id_token_signed_response_alg: 'ES256' }
  const es256 = await oidc.discovery(issuer, 'post', metadata, oidc.ClientSecretPost(CLIENT_SECRET))
  await codeFlow(es256, 'https://post.example.com/callback', 'openid', oidc.buildAuthorizationUrlWithPAR)
  done('pushed authorization request')
}

async function privateKeyJwt() {
  const jwk = JSON.parse(PRIVATE_JWK)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
  const config = await oidc.discovery(issuer, 'asserter', undefined, oidc.PrivateKeyJwt({ key, kid: jwk.kid }))
  const { tokens } = await codeFlow(config, 'https://asserter.example.com/callback', 'openid offline_access', oidc.buildAuthorizationUrlWithPAR)
  await oidc.refreshTokenGrant(config, tokens.refresh_token)
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).active, true)
  done('private_key_jwt at every endpoint')
  const signed = (server, parameters) =>
    oidc.buildAuthorizationUrlWithJAR(server, parameters, { key, kid: jwk.kid })
  await codeFlow(config, 'https://asserter.example.com/callback', 'openid', signed)
  done('signed request object')
}

async function logout() {
  const metadata = { client_secret: CLIENT_SECRET }
  const config = await oidc.discovery(issuer, 'leaver', metadata, oidc.ClientSecretBasic(CLIENT_SECRET))
  const { tokens, browser } = await codeFlow(config, 'https://leaver.example.com/callback', 'openid')
  const state = oidc.randomState()
  const post_logout_redirect_uri = 'https://leaver.example.com/bye'
  const url = oidc.buildEndSessionUrl(config, { post_logout_redirect_uri, id_token_hint: tokens.id_token, state })
  let page = await browser.go(url)
  if (page.html.includes('id="logout-confirm"')) page = await browser.submit(page, [])
  assert.equal(page.url.origin + page.url.pathname, post_logout_redirect_uri)
  assert.equal(page.url.searchParams.get('state'), state)
  const again = oidc.buildAuthorizationUrl(config, { redirect_uri: 'https://leaver.example.com/callback', scope: 'openid', prompt: 'none', code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()), code_challenge_method: 'S256' })
  const came = await browser.visit(again)
  assert.equal(came.searchParams.get('error'), 'login_required')
  done('RP-initiated logout')
}

async function registration() {
  const redirect_uris = ['https://registered.example.com/callback']
  // the library sends a secret that it was given in the body
  const token_endpoint_auth_method = 'client_secret_post'
  const grant_types = ['authorization_code', 'refresh_token']
  const metadata = { client_name: 'Registered', redirect_uris, grant_types, token_endpoint_auth_method }
  const options = { initialAccessToken: INITIAL_ACCESS_TOKEN }
  const config = await oidc.dynamicClientRegistration(issuer, metadata, undefined, options)
  const { tokens } = await codeFlow(config, redirect_uris[0], 'openid')
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).active, true)
  done('dynamic registration')
  await assert.rejects(oidc.dynamicClientRegistration(issuer, metadata))
  done('registration without its token is refused')
}

await confidential()
await publicClient()
await service()
await pushed()
await privateKeyJwt()
await logout()
await registration()
