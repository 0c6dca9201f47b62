# Read out before the name of whoever is signed in

signed-in-as = Angemeldet als

# Signing in

login-title = Anmelden
login-client = Weiter zu { $client }
login-back-host = Danach geht es zurück zu { $host }
login-back-device = Danach geht es zurück zu einer App auf diesem Gerät
login-username = Benutzername oder E-Mail-Adresse
login-password = Passwort
login-submit = Anmelden
login-refused = Das hat nicht geklappt. Bitte prüfen Sie Benutzername und Passwort und versuchen Sie es noch einmal.
login-wait-seconds = { $count ->
    [one] Zu viele Versuche. Bitte warten Sie { $count } Sekunde und versuchen Sie es dann noch einmal.
   *[other] Zu viele Versuche. Bitte warten Sie { $count } Sekunden und versuchen Sie es dann noch einmal.
}
login-wait-minutes = { $count ->
    [one] Zu viele Versuche. Bitte warten Sie { $count } Minute und versuchen Sie es dann noch einmal.
   *[other] Zu viele Versuche. Bitte warten Sie { $count } Minuten und versuchen Sie es dann noch einmal.
}
login-form-expired = Diese Seite war zu lange geöffnet. Bitte melden Sie sich noch einmal an.
login-busy = Die Anmeldung dauert zurzeit länger. Bitte versuchen Sie es gleich noch einmal.

# Choosing among the accounts of this browser

choice-title = Konto auswählen
choice-other = Anderes Konto verwenden

# Saying yes or no to what an app asks for; what a scope allows follows "consent-scopes"

consent-title = Zugriff erlauben
consent-heading = { $client } bittet um Zugriff auf Ihr Konto
consent-unverified = Nicht geprüft
consent-warning = Diese App hat sich selbst registriert. Bei { $service } hat niemand ihren Namen geprüft. Fahren Sie nur fort, wenn Sie dies selbst begonnen haben.
consent-not-you = Nicht Sie?
consent-scopes = Die App könnte dann
consent-resources = In Ihrem Namen bei
consent-deny = Ablehnen
consent-allow = Erlauben
consent-back-host = In jedem Fall geht es danach zurück zu { $host }.
consent-back-device = In jedem Fall geht es danach zurück zu einer App auf diesem Gerät.
scope-openid = Erfahren, wer Sie sind
scope-profile = Ihren Namen und Ihr Profil sehen, zum Beispiel Bild, Sprache und Zeitzone
scope-email = Ihre E-Mail-Adresse sehen
scope-address = Ihre Postanschrift sehen
scope-phone = Ihre Telefonnummer sehen
scope-offline-access = Diesen Zugriff auch in Ihrer Abwesenheit behalten, bis Sie ihn widerrufen

# An app's own pages

links-policy = Datenschutzerklärung
links-terms = Nutzungsbedingungen
links-hint = der App, öffnet sich in einem neuen Tab

# Signing out

logout-title = Abmelden
logout-heading = Abmelden?
logout-here = Sie werden in diesem Browser bei { $service } abgemeldet.
logout-asked = { $client } möchte Sie abmelden.
logout-another = Gemeint ist eine andere Anmeldung als die in diesem Browser. Bitte prüfen Sie, wer hier angemeldet ist.
logout-to-host = Danach geht es weiter zu { $host }.
logout-to-device = Danach geht es weiter zu einer App auf diesem Gerät.
logout-stay = Angemeldet bleiben
logout-confirm = Abmelden
logout-all = In diesem Browser von allen Konten abmelden
logged-out-title = Abgemeldet
logged-out-heading = Sie sind abgemeldet
logged-out-lead = In geöffneten Apps sind Sie möglicherweise noch angemeldet. Schließen Sie auf einem gemeinsam genutzten Gerät auch den Browser.
logged-out-onward = Sie werden auch in den verwendeten Apps abgemeldet. Danach geht es weiter zu { $client }.
logged-out-can-go-on = Sie können nun zu der App weitergehen, die Sie hierher geschickt hat.
logged-out-go-on = Weiter zu { $client }
logged-out-again = Wieder anmelden

# A person's own account

account-title = Ihr Konto
account-since = Angemeldet seit
account-logout = Abmelden
account-switch = Zu einem anderen Konto wechseln
account-add = Weiteres Konto hinzufügen
account-apps = Apps mit Zugriff auf Ihr Konto
account-no-apps = Keine.
account-at = Bei
account-granted = Seit
account-used = Zuletzt genutzt
account-unused = Zurzeit nicht genutzt
account-take-back = Zugriff widerrufen
account-take-back-hint = für { $client }
account-sessions = Wo Sie angemeldet sind
account-this-browser = Dieser Browser
account-another-browser = Ein anderer Browser
account-session-since = Angemeldet
account-session-seen = Zuletzt aktiv
account-end = Dort abmelden
account-end-hint = (angemeldet seit { $moment })
account-end-all = Überall abmelden
account-taken-back = Erledigt. Die App hat keinen Zugriff mehr auf Ihr Konto.
account-session-ended = Erledigt. Sie sind dort abgemeldet.
account-password-changed = Ihr Passwort ist geändert.

# Another password, with the old one at hand

password-change-title = Passwort ändern
password-forced-title = Neues Passwort wählen
password-forced-lead = Das Passwort, mit dem Sie sich angemeldet haben, wurde Ihnen zugeteilt. Wählen Sie eines, das nur Sie kennen; danach geht es weiter.
password-old = Aktuelles Passwort
password-old-forced = Passwort, mit dem Sie sich angemeldet haben
password-new = Neues Passwort
password-rule = Mindestens 8 Zeichen. Lang ist besser als kompliziert.
password-end-sessions = In anderen Browsern abmelden und die dort verwendeten Apps trennen
password-submit = Ändern
password-go-on = Weiter
password-stay = Unverändert lassen
password-refused = Das aktuelle Passwort stimmt nicht. Bitte versuchen Sie es noch einmal.
password-form-expired = Diese Seite war zu lange geöffnet. Bitte versuchen Sie es noch einmal.
password-busy = Der Server ist zurzeit ausgelastet. Bitte versuchen Sie es gleich noch einmal.
password-too-short = Das neue Passwort ist zu kurz: Es braucht mindestens 8 Zeichen.
password-too-long = Das neue Passwort ist zu lang.
password-disallowed = Das neue Passwort enthält ein Zeichen, das sich nicht auf jedem Gerät eingeben lässt.
password-same-as-username = Das neue Passwort darf nicht der Benutzername sein.
password-same-as-before = Das neue Passwort darf nicht das bisherige sein.

# A forgotten password

recovery-title = Passwort vergessen?
recovery-lead = Sagen Sie uns, wer Sie sind. Wir schicken an Ihre uns bekannte E-Mail-Adresse einen Link, mit dem Sie ein neues Passwort festlegen können.
recovery-submit = Link senden
recovery-back = Zurück zur Anmeldung
recovery-sent-title = Sehen Sie in Ihrem Postfach nach
recovery-sent-lead = Wenn wir Sie und eine E-Mail-Adresse von Ihnen kennen, ist ein Link dorthin unterwegs. Er funktioniert 30 Minuten lang.
recovery-sent-hint = Nichts angekommen? Sehen Sie auch im Spam-Ordner nach und warten Sie einige Minuten, bevor Sie es noch einmal versuchen.
recovery-again = Neuen Link anfordern
recovery-dead-link = Dieser Link funktioniert nicht: Er wurde schon benutzt oder ist zu alt.
recovery-absent = Dieser Server verschickt keine E-Mails. Bitten Sie die Betreiber um ein neues Passwort.
new-password-title = Neues Passwort festlegen
new-password-lead = Für { $person }. Sie werden überall abgemeldet, und Apps müssen erneut um Erlaubnis bitten.
new-password-submit = Passwort festlegen
recovered-title = Ihr Passwort ist geändert
recovered-lead = Sie sind überall abgemeldet. Melden Sie sich mit dem neuen Passwort an.

# The mail with the link, in plain text

mail-recovery-subject = Neues Passwort für { $service } festlegen
mail-hello = Guten Tag,
mail-recovery-asked = jemand, vermutlich Sie, möchte bei { $service } ein neues Passwort festlegen. Das geht mit diesem Link:
mail-recovery-life = { $count ->
    [one] Er funktioniert einmal, { $count } Minute lang.
   *[other] Er funktioniert einmal, { $count } Minuten lang.
}
mail-recovery-ignore = Falls Sie das nicht waren, brauchen Sie nichts zu tun: Ihr Passwort bleibt, wie es ist.

# What cannot be carried out; the reason in the standards' words stands below, in English, for whoever makes the app

error-request = Diese Anfrage kann nicht ausgeführt werden
error-request-lead = Die App, die Sie hierher geführt hat, bittet um etwas, das so nicht möglich ist.
error-later = Bitte versuchen Sie es gleich noch einmal
error-later-lead = Der Server kann im Moment nicht antworten.
error-server = Bei uns ist etwas schiefgegangen
error-server-lead = Es liegt nicht an Ihnen.
error-denied = Zugriff verweigert
error-denied-lead = Diese Anfrage ist für dieses Konto oder von dieser Stelle aus nicht erlaubt.
error-stale = Diese Seite war zu lange oder in einem anderen Browser geöffnet. Es ist nichts geschehen.
error-back = Gehen Sie zurück zu der App, aus der Sie kommen, und versuchen Sie es noch einmal. Passiert es wieder, geben Sie die folgenden Angaben bitte an den Anbieter der App weiter.
error-stranger = Eine App, die { $service } nicht näher kennt, hat Sie hierher geschickt, und ihre Anfrage kann nicht ausgeführt werden. Sie können es der App mitteilen und zu ihr zurückkehren oder diese Seite schließen.
error-back-host = Zurück zu { $host }
error-back-device = Zurück zu einer App auf diesem Gerät
error-look-again = Anfrage noch einmal ansehen
error-code = Code
error-reason = Grund
error-number = Nummer

# Carrying an answer to an app in a form

form-post-title = Zurück zur App
form-post-heading = Zurück zu { $client }
form-post-lead = Wenn nichts geschieht, drücken Sie bitte auf die Schaltfläche.
form-post-submit = Weiter
