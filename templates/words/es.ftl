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
login-refused = No se ha podido iniciar sesión. Compruebe el nombre de usuario y la contraseña e inténtelo de nuevo.
login-wait-seconds = { $count ->
    [one] Demasiados intentos. Espere { $count } segundo e inténtelo de nuevo.
   *[other] Demasiados intentos. Espere { $count } segundos e inténtelo de nuevo.
}
login-wait-minutes = { $count ->
    [one] Demasiados intentos. Espere { $count } minuto e inténtelo de nuevo.
   *[other] Demasiados intentos. Espere { $count } minutos e inténtelo de nuevo.
}
login-form-expired = Esta página llevaba demasiado tiempo abierta. Inicie sesión de nuevo.
login-busy = En este momento, el inicio de sesión es lento. Inténtelo de nuevo en unos instantes.

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
logout-all = Cerrar la sesión de todas las cuentas de este navegador
logged-out-title = Sesión cerrada
logged-out-heading = Se ha cerrado la sesión
logged-out-lead = Las aplicaciones que ha abierto pueden mantener su propia sesión. En un dispositivo compartido, cierre también el navegador.
logged-out-onward = También se está cerrando la sesión de las aplicaciones que ha usado. Después irá a { $client }.
logged-out-can-go-on = Puede continuar a la aplicación desde la que ha llegado.
logged-out-go-on = Continuar a { $client }
logged-out-again = Iniciar sesión de nuevo

# A person's own account

account-title = Su cuenta
account-since = Sesión iniciada el
account-logout = Cerrar sesión
account-switch = Cambiar a otra cuenta
account-add = Añadir otra cuenta
account-apps = Aplicaciones con acceso a su cuenta
account-no-apps = Ninguna.
account-at = En
account-granted = Desde el
account-used = Último uso
account-unused = Sin uso actualmente
account-take-back = Retirar el acceso
account-take-back-hint = de { $client }
account-sessions = Dónde ha iniciado sesión
account-this-browser = Este navegador
account-another-browser = Otro navegador
account-session-since = Iniciada el
account-session-seen = Última actividad
account-end = Cerrar esa sesión
account-end-hint = (iniciada el { $moment })
account-end-all = Cerrar todas las sesiones
account-taken-back = Hecho. La aplicación ya no tiene acceso a su cuenta.
account-session-ended = Hecho. Se ha cerrado esa sesión.
account-password-changed = Se ha cambiado su contraseña.

# Another password, with the old one at hand

password-change-title = Cambiar la contraseña
password-forced-title = Elegir una contraseña nueva
password-forced-lead = La contraseña con la que ha iniciado sesión se la asignaron. Elija una que nadie más conozca y podrá continuar.
password-old = Contraseña actual
password-old-forced = Contraseña con la que ha iniciado sesión
password-new = Contraseña nueva
password-rule = Al menos 8 caracteres. Mejor larga que complicada.
password-end-sessions = Cerrar mi sesión en otros navegadores y desconectar las aplicaciones usadas allí
password-submit = Cambiar
password-go-on = Continuar
password-stay = Dejarla como está
password-refused = La contraseña actual no es correcta. Inténtelo de nuevo.
password-form-expired = Esta página llevaba demasiado tiempo abierta. Inténtelo de nuevo.
password-busy = El servidor está ocupado en este momento. Inténtelo de nuevo en unos instantes.
password-too-short = La contraseña nueva es demasiado corta: necesita al menos 8 caracteres.
password-too-long = La contraseña nueva es demasiado larga.
password-disallowed = La contraseña nueva contiene un carácter que no se puede escribir en todos los dispositivos.
password-same-as-username = La contraseña nueva no puede ser el nombre de usuario.
password-same-as-before = La contraseña nueva no puede ser la actual.

# A forgotten password

recovery-title = ¿Ha olvidado su contraseña?
recovery-lead = Díganos quién es. Enviaremos a la dirección de correo asociada a su cuenta un enlace para establecer otra contraseña.
recovery-submit = Enviar el enlace
recovery-back = Volver al inicio de sesión
recovery-sent-title = Revise su correo
recovery-sent-lead = Si la cuenta existe y tiene una dirección de correo, hay un enlace en camino. Funciona durante 30 minutos.
recovery-sent-hint = ¿No ha llegado nada? Revise también la carpeta de correo no deseado y espere unos minutos antes de pedirlo otra vez.
recovery-again = Pedir otro enlace
recovery-dead-link = Este enlace no funciona: ya se ha usado o es demasiado antiguo.
recovery-absent = Este servidor no envía correos. Pida otra contraseña a sus responsables.
new-password-title = Establecer una contraseña nueva
new-password-lead = Para { $person }. Se cerrarán todas sus sesiones y las aplicaciones tendrán que volver a pedir permiso.
new-password-submit = Establecer la contraseña
recovered-title = Se ha cambiado su contraseña
recovered-lead = Se han cerrado todas sus sesiones. Inicie sesión con la contraseña nueva.

# The mail with the link, in plain text

mail-recovery-subject = Establecer una contraseña nueva para { $service }
mail-hello = Hola:
mail-recovery-asked = Alguien, probablemente usted, ha pedido establecer una contraseña nueva en { $service }. Puede hacerlo con este enlace:
mail-recovery-life = { $count ->
    [one] Funciona una sola vez, durante { $count } minuto.
   *[other] Funciona una sola vez, durante { $count } minutos.
}
mail-recovery-ignore = Si no ha sido usted, no haga nada: su contraseña sigue siendo la misma.

# What cannot be carried out; the reason in the standards' words stands below, in English, for whoever makes the app

error-request = No se puede atender esta solicitud
error-request-lead = La aplicación desde la que ha llegado pide algo que no es posible de esta forma.
error-later = Inténtelo de nuevo en unos instantes
error-later-lead = El servidor no puede responder en este momento.
error-server = Algo ha fallado por nuestra parte
error-server-lead = No se debe a nada que usted haya hecho.
error-denied = Acceso denegado
error-denied-lead = Esta solicitud no está permitida para esta cuenta o por su procedencia.
error-stale = Esta página llevaba demasiado tiempo abierta o se abrió en otro navegador. No se ha hecho nada.
error-back = Vuelva a la aplicación desde la que ha llegado e inténtelo de nuevo. Si vuelve a ocurrir, facilite a sus responsables los datos siguientes.
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
