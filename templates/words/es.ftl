# Read out before the name of whoever is signed in

signed-in-as = Sesión iniciada como

# Signing in

login-title = Iniciar sesión
login-client = para continuar en { $client }
login-back-host = Después volverá a { $host }
login-back-device = Después volverá a una aplicación de este dispositivo
login-username = Nombre de usuario o correo electrónico
login-password = Contraseña
login-submit = Iniciar sesión
login-refused = No ha funcionado. Compruebe el nombre de usuario y la contraseña e inténtelo de nuevo.
login-wait-seconds = { $count ->
    [one] Demasiados intentos. Espere { $count } segundo e inténtelo de nuevo.
   *[other] Demasiados intentos. Espere { $count } segundos e inténtelo de nuevo.
}
login-wait-minutes = { $count ->
    [one] Demasiados intentos. Espere { $count } minuto e inténtelo de nuevo.
   *[other] Demasiados intentos. Espere { $count } minutos e inténtelo de nuevo.
}
login-form-expired = Esta página llevaba demasiado tiempo abierta. Inicie sesión de nuevo.
login-busy = En este momento el inicio de sesión va lento. Inténtelo de nuevo en unos instantes.

# Choosing among the accounts of this browser

choice-title = Elegir una cuenta
choice-other = Usar otra cuenta

# Saying yes or no to what an app asks for; what a scope allows follows "consent-scopes"

consent-title = Permitir el acceso
consent-heading = { $client } solicita acceso a su cuenta
consent-unverified = Sin verificar
consent-warning = Esta aplicación se registró por su cuenta. Nadie en { $service } ha comprobado su nombre. Continúe solo si fue usted quien inició esta solicitud.
consent-not-you = ¿No es usted?
consent-scopes = La aplicación podría
consent-resources = En su nombre en
consent-deny = Denegar
consent-allow = Permitir
consent-back-host = En ambos casos volverá a { $host }.
consent-back-device = En ambos casos volverá a una aplicación de este dispositivo.
scope-openid = Saber quién es usted
scope-profile = Ver su nombre y su perfil, como la foto, el idioma y la zona horaria
scope-email = Ver su dirección de correo electrónico
scope-address = Ver su dirección postal
scope-phone = Ver su número de teléfono
scope-offline-access = Conservar este acceso en su ausencia, hasta que usted lo retire

# An app's own pages

links-policy = Política de privacidad
links-terms = Condiciones del servicio
links-hint = de la aplicación, se abre en una pestaña nueva

# Signing out

logout-title = Cerrar sesión
logout-heading = ¿Cerrar la sesión?
logout-here = Se cerrará su sesión de { $service } en este navegador.
logout-asked = { $client } solicita cerrar su sesión.
logout-another = Se refiere a una sesión distinta de la de este navegador. Compruebe quién tiene la sesión iniciada aquí.
logout-to-host = Después irá a { $host }.
logout-to-device = Después irá a una aplicación de este dispositivo.
logout-stay = Mantener la sesión
logout-confirm = Cerrar sesión
logged-out-title = Sesión cerrada
logged-out-heading = Ha cerrado la sesión
logged-out-lead = Las aplicaciones que ha abierto pueden mantener su propia sesión. En un dispositivo compartido, cierre también el navegador.
logged-out-onward = También se está cerrando la sesión de las aplicaciones que ha usado. Después irá a { $client }.
logged-out-can-go-on = Puede continuar a la aplicación desde la que ha llegado.
logged-out-go-on = Continuar a { $client }
logged-out-again = Iniciar sesión de nuevo

# A person's own account

account-title = Su cuenta
account-since = Sesión iniciada desde
account-logout = Cerrar sesión

# What cannot be carried out; the reason in the standards' words stands below, in English, for whoever makes the app

error-request = No se puede atender esta solicitud
error-request-lead = La aplicación desde la que ha llegado pide algo que no es posible de esta forma.
error-later = Inténtelo de nuevo en unos instantes
error-later-lead = El servidor no puede responder en este momento.
error-server = Algo ha fallado por nuestra parte
error-server-lead = No se debe a nada que usted haya hecho.
error-denied = Acceso denegado
error-denied-lead = Esta solicitud no está permitida para esta cuenta o desde su origen.
error-stale = Esta página llevaba demasiado tiempo abierta o procede de otro navegador. No se ha hecho nada.
error-back = Vuelva a la aplicación de la que procede e inténtelo de nuevo. Si vuelve a ocurrir, facilite a sus responsables los datos siguientes.
error-stranger = Ha llegado aquí desde una aplicación que { $service } no conoce bien, y su solicitud no se puede atender. Puede comunicárselo a la aplicación y volver a ella, o cerrar esta página.
error-back-host = Volver a { $host }
error-back-device = Volver a una aplicación de este dispositivo
error-look-again = Ver de nuevo la solicitud
error-code = Código
error-reason = Motivo
error-number = Número

# Carrying an answer to an app in a form

form-post-title = Volviendo a la aplicación
form-post-heading = Volviendo a { $client }
form-post-lead = Si no ocurre nada, pulse el botón.
form-post-submit = Continuar
