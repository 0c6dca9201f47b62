# Read out before the name of whoever is signed in

signed-in-as = Signed in as

# Signing in

login-title = Sign in
login-client = to continue to { $client }
login-back-host = You will go back to { $host }
login-back-device = You will go back to an app on this device
login-username = Username or e-mail
login-password = Password
login-submit = Sign in
login-refused = That did not work. Check the username and the password and try again.
login-wait-seconds = { $count ->
    [one] Too many attempts. Wait { $count } second, then try again.
   *[other] Too many attempts. Wait { $count } seconds, then try again.
}
login-wait-minutes = { $count ->
    [one] Too many attempts. Wait { $count } minute, then try again.
   *[other] Too many attempts. Wait { $count } minutes, then try again.
}
login-form-expired = This page had been open for too long. Please sign in again.
login-busy = Signing in is slow at the moment. Please try again shortly.

# Choosing among the accounts of this browser

choice-title = Choose an account
choice-other = Use another account

# Saying yes or no to what an app asks for; what a scope allows follows "consent-scopes"

consent-title = Allow access
consent-heading = { $client } asks for access to your account
consent-unverified = Unverified
consent-warning = This app registered itself. Nobody at { $service } has checked its name. Go on only if you started this yourself.
consent-not-you = Not you?
consent-scopes = It would be able to
consent-resources = On your behalf at
consent-deny = Deny
consent-allow = Allow
consent-back-host = Either way you go back to { $host }.
consent-back-device = Either way you go back to an app on this device.
scope-openid = Know who you are
scope-profile = See your name and profile, such as picture, language and time zone
scope-email = See your e-mail address
scope-address = See your postal address
scope-phone = See your phone number
scope-offline-access = Keep this access while you are away, until you take it back

# An app's own pages

links-policy = Privacy policy
links-terms = Terms of service
links-hint = of the app, opens in a new tab

# Signing out

logout-title = Sign out
logout-heading = Sign out?
logout-here = You will be signed out of { $service } in this browser.
logout-asked = { $client } asks to sign you out.
logout-another = It means another sign-in than the one in this browser, so please check who is signed in here.
logout-to-host = Afterwards you go on to { $host }.
logout-to-device = Afterwards you go on to an app on this device.
logout-stay = Stay signed in
logout-confirm = Sign out
logged-out-title = Signed out
logged-out-heading = You are signed out
logged-out-lead = Apps you have opened may keep their own sign-in. On a shared device, close the browser as well.
logged-out-onward = The apps you used are being signed out as well. Then you go on to { $client }.
logged-out-can-go-on = You can go on to the app that sent you here.
logged-out-go-on = Go on to { $client }
logged-out-again = Sign in again

# A person's own account

account-title = Your account
account-since = Signed in since
account-logout = Sign out

# What cannot be carried out; the reason in the standards' words stands below, in English, for whoever makes the app

error-request = This request cannot be carried out
error-request-lead = The app that brought you here asked for something that is not possible this way.
error-later = Please try again shortly
error-later-lead = The server cannot answer at the moment.
error-server = Something went wrong on our side
error-server-lead = This is not your fault.
error-denied = Access denied
error-denied-lead = This request is not allowed for this account, or from where it came.
error-stale = This page had been open for too long, or was opened in another browser. Nothing was done.
error-back = Go back to the app you came from and try again. If it happens again, tell its makers what stands below.
error-stranger = An app that { $service } does not know well sent you here, and its request cannot be carried out. You can let the app know and go back to it, or close this page.
error-back-host = Go back to { $host }
error-back-device = Go back to an app on this device
error-look-again = Look at the request again
error-code = Code
error-reason = Reason
error-number = Number

# Carrying an answer to an app in a form

form-post-title = Going back
form-post-heading = Going back to { $client }
form-post-lead = If nothing happens, press the button.
form-post-submit = Continue
