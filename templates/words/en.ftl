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
logout-all = Sign out of all accounts in this browser
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
account-switch = Switch to another account
account-add = Add another account
account-apps = Apps with access to your account
account-no-apps = None.
account-at = At
account-granted = Since
account-used = Last used
account-unused = Not in use now
account-take-back = Take back
account-take-back-hint = what { $client } may do
account-sessions = Where you are signed in
account-this-browser = This browser
account-another-browser = Another browser
account-session-since = Signed in
account-session-seen = Last seen
account-end = Sign out there
account-end-hint = (signed in { $moment })
account-end-all = Sign out everywhere
account-taken-back = Done. The app has no access to your account any more.
account-session-ended = Done. You are signed out there.
account-password-changed = Your password is changed.

# Another password, with the old one at hand

password-change-title = Change your password
password-forced-title = Choose a new password
password-forced-lead = The password you signed in with was given to you. Choose one that only you know, then you go on.
password-old = Current password
password-old-forced = The password you signed in with
password-new = New password
password-rule = At least 8 characters. Long is better than complicated.
password-end-sessions = Sign me out in other browsers, and disconnect the apps I used there
password-submit = Change
password-go-on = Go on
password-stay = Leave it as it is
password-refused = The current password is not right. Try again.
password-form-expired = This page had been open for too long. Please try again.
password-busy = The server is busy at the moment. Please try again shortly.
password-too-short = The new password is too short: it needs at least 8 characters.
password-too-long = The new password is too long.
password-disallowed = The new password holds a character that cannot be typed on every device.
password-same-as-username = The new password must not be the username.
password-same-as-before = The new password must not be the old one.

# A forgotten password

recovery-title = Forgot your password?
recovery-lead = Tell us who you are, and we send a link to the e-mail address we know of you. It sets another password.
recovery-submit = Send the link
recovery-back = Back to sign-in
recovery-sent-title = Check your e-mail
recovery-sent-lead = If we know you and an e-mail address of yours, a link is on its way to it. It works for 30 minutes.
recovery-sent-hint = Nothing there? Look into the spam folder too, and wait a few minutes before you ask again.
recovery-again = Ask for another link
recovery-dead-link = This link does not work: it was used already, or it is too old.
recovery-absent = This server sends no mail. Ask whoever runs it for another password.
new-password-title = Set a new password
new-password-lead = For { $person }. You will be signed out everywhere, and apps will have to ask again.
new-password-submit = Set the password
recovered-title = Your password is changed
recovered-lead = You are signed out everywhere. Sign in with the new password.

# The mail with the link, in plain text

mail-recovery-subject = Set a new password for { $service }
mail-hello = Hello,
mail-recovery-asked = Somebody, probably you, asked to set a new password at { $service }. This link does it:
mail-recovery-life = { $count ->
    [one] It works once, for { $count } minute.
   *[other] It works once, for { $count } minutes.
}
mail-recovery-ignore = If it was not you, do nothing: your password stays as it is.

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
