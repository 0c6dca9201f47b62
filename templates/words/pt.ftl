# Read out before the name of whoever is signed in

signed-in-as = Sessão iniciada como

# Signing in

login-title = Iniciar sessão
login-client = para continuar em { $client }
login-back-host = Depois voltará a { $host }
login-back-device = Depois voltará a uma aplicação neste dispositivo
login-username = Nome de usuário ou e-mail
login-password = Senha
login-submit = Iniciar sessão
login-refused = Não funcionou. Verifique o nome de usuário e a senha e tente novamente.
login-wait-seconds = { $count ->
    [one] Demasiadas tentativas. Aguarde { $count } segundo e tente novamente.
   *[other] Demasiadas tentativas. Aguarde { $count } segundos e tente novamente.
}
login-wait-minutes = { $count ->
    [one] Demasiadas tentativas. Aguarde { $count } minuto e tente novamente.
   *[other] Demasiadas tentativas. Aguarde { $count } minutos e tente novamente.
}
login-form-expired = Esta página ficou aberta por tempo demais. Inicie a sessão novamente.
login-busy = No momento, o início de sessão está lento. Tente novamente em instantes.

# Choosing among the accounts of this browser

choice-title = Escolher uma conta
choice-other = Usar outra conta

# Saying yes or no to what an app asks for; what a scope allows follows "consent-scopes"

consent-title = Permitir o acesso
consent-heading = { $client } pede acesso à sua conta
consent-unverified = Não verificada
consent-warning = Esta aplicação registrou-se por conta própria. Ninguém em { $service } verificou o seu nome. Continue apenas se foi você quem iniciou este pedido.
consent-not-you = Não é você?
consent-scopes = A aplicação poderia
consent-resources = Em seu nome em
consent-deny = Recusar
consent-allow = Permitir
consent-back-host = Em ambos os casos, voltará a { $host }.
consent-back-device = Em ambos os casos, voltará a uma aplicação neste dispositivo.
scope-openid = Saber quem você é
scope-profile = Ver o seu nome e o seu perfil, como a foto, o idioma e o fuso horário
scope-email = Ver o seu endereço de e-mail
scope-address = Ver o seu endereço postal
scope-phone = Ver o seu número de telefone
scope-offline-access = Manter este acesso na sua ausência, até que o retire

# An app's own pages

links-policy = Política de privacidade
links-terms = Termos de serviço
links-hint = da aplicação, abre em uma nova aba

# Signing out

logout-title = Encerrar sessão
logout-heading = Encerrar a sessão?
logout-here = A sua sessão em { $service } será encerrada neste navegador.
logout-asked = { $client } pede para encerrar a sua sessão.
logout-another = Refere-se a uma sessão diferente da deste navegador. Verifique quem tem a sessão iniciada aqui.
logout-to-host = Depois seguirá para { $host }.
logout-to-device = Depois seguirá para uma aplicação neste dispositivo.
logout-stay = Manter a sessão
logout-confirm = Encerrar sessão
logged-out-title = Sessão encerrada
logged-out-heading = A sua sessão foi encerrada
logged-out-lead = As aplicações que abriu podem manter a sua própria sessão. Em um dispositivo compartilhado, feche também o navegador.
logged-out-onward = A sessão das aplicações que usou também está sendo encerrada. Depois seguirá para { $client }.
logged-out-can-go-on = Pode continuar para a aplicação de onde veio.
logged-out-go-on = Continuar para { $client }
logged-out-again = Iniciar sessão novamente

# A person's own account

account-title = A sua conta
account-since = Sessão iniciada desde
account-logout = Encerrar sessão

# What cannot be carried out; the reason in the standards' words stands below, in English, for whoever makes the app

error-request = Não é possível atender este pedido
error-request-lead = A aplicação de onde veio pede algo que não é possível desta forma.
error-later = Tente novamente em instantes
error-later-lead = O servidor não consegue responder neste momento.
error-server = Ocorreu um erro do nosso lado
error-server-lead = Não se deve a nada que você tenha feito.
error-denied = Acesso recusado
error-denied-lead = Este pedido não é permitido para esta conta ou a partir da sua origem.
error-stale = Esta página ficou aberta por tempo demais ou vem de outro navegador. Nada foi feito.
error-back = Volte à aplicação de onde veio e tente novamente. Se voltar a acontecer, comunique aos responsáveis os dados abaixo.
error-stranger = Chegou aqui a partir de uma aplicação que { $service } não conhece bem, e o pedido dela não pode ser atendido. Pode informar a aplicação e voltar a ela, ou fechar esta página.
error-back-host = Voltar a { $host }
error-back-device = Voltar a uma aplicação neste dispositivo
error-look-again = Ver o pedido novamente
error-code = Código
error-reason = Motivo
error-number = Número

# Carrying an answer to an app in a form

form-post-title = De volta à aplicação
form-post-heading = De volta a { $client }
form-post-lead = Se nada acontecer, pressione o botão.
form-post-submit = Continuar
