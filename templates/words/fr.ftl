# Read out before the name of whoever is signed in

signed-in-as = Compte actuel :

# Signing in

login-title = Connexion
login-client = pour continuer vers { $client }
login-back-host = Vous reviendrez ensuite à { $host }
login-back-device = Vous reviendrez ensuite à une application sur cet appareil
login-username = Nom d’utilisateur ou adresse e-mail
login-password = Mot de passe
login-submit = Se connecter
login-refused = La connexion a échoué. Vérifiez le nom d’utilisateur et le mot de passe, puis réessayez.
login-wait-seconds = { $count ->
    [one] Trop de tentatives. Attendez { $count } seconde, puis réessayez.
   *[other] Trop de tentatives. Attendez { $count } secondes, puis réessayez.
}
login-wait-minutes = { $count ->
    [one] Trop de tentatives. Attendez { $count } minute, puis réessayez.
   *[other] Trop de tentatives. Attendez { $count } minutes, puis réessayez.
}
login-form-expired = Cette page est restée ouverte trop longtemps. Veuillez vous connecter à nouveau.
login-busy = La connexion est lente en ce moment. Veuillez réessayer dans un instant.

# Choosing among the accounts of this browser

choice-title = Choisir un compte
choice-other = Utiliser un autre compte

# Saying yes or no to what an app asks for; what a scope allows follows "consent-scopes"

consent-title = Autoriser l’accès
consent-heading = { $client } demande l’accès à votre compte
consent-unverified = Non vérifiée
consent-warning = Cette application s’est enregistrée elle-même. Personne chez { $service } n’a vérifié son nom. Continuez uniquement si vous êtes à l’origine de cette demande.
consent-not-you = Pas vous ?
consent-scopes = L’application pourrait
consent-resources = En votre nom auprès de
consent-deny = Refuser
consent-allow = Autoriser
consent-back-host = Dans les deux cas, vous reviendrez à { $host }.
consent-back-device = Dans les deux cas, vous reviendrez à une application sur cet appareil.
scope-openid = Savoir qui vous êtes
scope-profile = Voir votre nom et votre profil, par exemple la photo, la langue et le fuseau horaire
scope-email = Voir votre adresse e-mail
scope-address = Voir votre adresse postale
scope-phone = Voir votre numéro de téléphone
scope-offline-access = Conserver cet accès en votre absence, jusqu’à ce que vous le retiriez

# An app's own pages

links-policy = Politique de confidentialité
links-terms = Conditions d’utilisation
links-hint = de l’application, s’ouvre dans un nouvel onglet

# Signing out

logout-title = Déconnexion
logout-heading = Se déconnecter ?
logout-here = Votre session chez { $service } sera fermée dans ce navigateur.
logout-asked = { $client } demande votre déconnexion.
logout-another = Cela concerne une autre session que celle de ce navigateur. Veuillez vérifier quel compte est ouvert ici.
logout-to-host = Vous continuerez ensuite vers { $host }.
logout-to-device = Vous continuerez ensuite vers une application sur cet appareil.
logout-stay = Annuler
logout-confirm = Se déconnecter
logout-all = Se déconnecter de tous les comptes de ce navigateur
logged-out-title = Session fermée
logged-out-heading = Votre session est fermée
logged-out-lead = Les applications ouvertes peuvent conserver leur propre session. Sur un appareil partagé, fermez aussi le navigateur.
logged-out-onward = Vos sessions dans les applications utilisées se ferment également. Vous continuerez ensuite vers { $client }.
logged-out-can-go-on = Vous pouvez maintenant retourner à l’application d’où vous venez.
logged-out-go-on = Continuer vers { $client }
logged-out-again = Se reconnecter

# A person's own account

account-title = Votre compte
account-since = Session ouverte le
account-logout = Se déconnecter
account-switch = Changer de compte
account-add = Ajouter un compte
account-apps = Applications ayant accès à votre compte
account-no-apps = Aucune.
account-at = Auprès de
account-granted = Depuis le
account-used = Dernière utilisation
account-unused = Non utilisée actuellement
account-take-back = Retirer l’accès
account-take-back-hint = de { $client }
account-sessions = Vos sessions ouvertes
account-this-browser = Ce navigateur
account-another-browser = Un autre navigateur
account-session-since = Ouverte le
account-session-seen = Dernière activité
account-end = Fermer cette session
account-end-hint = (ouverte le { $moment })
account-end-all = Fermer toutes les sessions
account-taken-back = C’est fait. L’application n’a plus accès à votre compte.
account-session-ended = C’est fait. Cette session est fermée.
account-password-changed = Votre mot de passe a été modifié.

# Another password, with the old one at hand

password-change-title = Changer de mot de passe
password-forced-title = Choisir un nouveau mot de passe
password-forced-lead = Le mot de passe que vous avez saisi vous a été attribué. Choisissez-en un que personne d’autre ne connaisse, puis vous pourrez continuer.
password-old = Mot de passe actuel
password-old-forced = Mot de passe que vous venez de saisir
password-new = Nouveau mot de passe
password-rule = Au moins 8 caractères. Mieux vaut long que compliqué.
password-end-sessions = Fermer mes sessions dans les autres navigateurs et déconnecter les applications que j’y ai utilisées
password-submit = Changer
password-go-on = Continuer
password-stay = Ne rien changer
password-refused = Le mot de passe actuel est incorrect. Réessayez.
password-form-expired = Cette page est restée ouverte trop longtemps. Veuillez réessayer.
password-busy = Le serveur est occupé en ce moment. Veuillez réessayer dans un instant.
password-too-short = Le nouveau mot de passe est trop court : il faut au moins 8 caractères.
password-too-long = Le nouveau mot de passe est trop long.
password-disallowed = Le nouveau mot de passe contient un caractère qui ne peut pas être saisi sur tous les appareils.
password-same-as-username = Le nouveau mot de passe ne doit pas être le nom d’utilisateur.
password-same-as-before = Le nouveau mot de passe doit être différent de l’ancien.

# A forgotten password

recovery-title = Mot de passe oublié ?
recovery-lead = Indiquez qui vous êtes. Nous enverrons à l’adresse e-mail associée à votre compte un lien permettant de définir un nouveau mot de passe.
recovery-submit = Envoyer le lien
recovery-back = Retour à la connexion
recovery-sent-title = Consultez vos e-mails
recovery-sent-lead = S’il existe un compte et une adresse e-mail à votre nom, un lien est en route vers cette adresse. Il est valable 30 minutes.
recovery-sent-hint = Rien reçu ? Regardez aussi dans les indésirables et attendez quelques minutes avant de recommencer.
recovery-again = Demander un autre lien
recovery-dead-link = Ce lien ne fonctionne pas : il a déjà été utilisé ou il est trop ancien.
recovery-absent = Ce serveur n’envoie pas d’e-mails. Demandez un autre mot de passe à ses responsables.
new-password-title = Définir un nouveau mot de passe
new-password-lead = Pour { $person }. Toutes vos sessions seront fermées et les applications devront redemander l’accès.
new-password-submit = Définir le mot de passe
recovered-title = Votre mot de passe a été modifié
recovered-lead = Toutes vos sessions sont fermées. Connectez-vous avec le nouveau mot de passe.

# The mail with the link, in plain text

mail-recovery-subject = Définir un nouveau mot de passe pour { $service }
mail-hello = Bonjour,
mail-recovery-asked = Quelqu’un, sans doute vous, a demandé à définir un nouveau mot de passe chez { $service }. Ce lien le permet :
mail-recovery-life = { $count ->
    [one] Il fonctionne une seule fois, pendant { $count } minute.
   *[other] Il fonctionne une seule fois, pendant { $count } minutes.
}
mail-recovery-ignore = Si ce n’était pas vous, ne faites rien : votre mot de passe reste inchangé.

# What cannot be carried out; the reason in the standards' words stands below, in English, for whoever makes the app

error-request = Cette demande ne peut pas aboutir
error-request-lead = L’application d’où vous venez demande quelque chose qui n’est pas possible ainsi.
error-later = Veuillez réessayer dans un instant
error-later-lead = Le serveur ne peut pas répondre pour le moment.
error-server = Une erreur s’est produite de notre côté
error-server-lead = Vous n’y êtes pour rien.
error-denied = Accès refusé
error-denied-lead = Cette demande n’est pas autorisée pour ce compte ou en raison de sa provenance.
error-stale = Cette page est restée ouverte trop longtemps ou a été ouverte dans un autre navigateur. Rien n’a été fait.
error-back = Revenez à l’application d’où vous venez et réessayez. Si le problème persiste, transmettez à ses responsables les indications ci-dessous.
error-stranger = Vous arrivez ici depuis une application que { $service } connaît mal, et sa demande ne peut pas aboutir. Vous pouvez en informer l’application et y revenir, ou fermer cette page.
error-back-host = Revenir à { $host }
error-back-device = Revenir à une application sur cet appareil
error-look-again = Revoir la demande
error-code = Code
error-reason = Motif
error-number = Numéro

# Carrying an answer to an app in a form

form-post-title = Retour à l’application
form-post-heading = Retour à { $client }
form-post-lead = Si rien ne se passe, appuyez sur le bouton.
form-post-submit = Continuer
