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
logout-to-host = Vous irez ensuite à { $host }.
logout-to-device = Vous irez ensuite à une application sur cet appareil.
logout-stay = Annuler
logout-confirm = Se déconnecter
logged-out-title = Session fermée
logged-out-heading = Votre session est fermée
logged-out-lead = Les applications ouvertes peuvent conserver leur propre session. Sur un appareil partagé, fermez aussi le navigateur.
logged-out-onward = Les applications utilisées sont également déconnectées. Vous irez ensuite à { $client }.
logged-out-can-go-on = Vous pouvez maintenant retourner à l’application d’où vous venez.
logged-out-go-on = Continuer vers { $client }
logged-out-again = Se reconnecter

# A person's own account

account-title = Votre compte
account-since = Session ouverte depuis
account-logout = Se déconnecter

# What cannot be carried out; the reason in the standards' words stands below, in English, for whoever makes the app

error-request = Cette demande ne peut pas aboutir
error-request-lead = L’application d’où vous venez demande quelque chose qui n’est pas possible ainsi.
error-later = Veuillez réessayer dans un instant
error-later-lead = Le serveur ne peut pas répondre pour le moment.
error-server = Une erreur s’est produite de notre côté
error-server-lead = Vous n’y êtes pour rien.
error-denied = Accès refusé
error-denied-lead = Cette demande n’est pas autorisée pour ce compte ou depuis son origine.
error-stale = Cette page est restée ouverte trop longtemps ou provient d’un autre navigateur. Rien n’a été fait.
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
