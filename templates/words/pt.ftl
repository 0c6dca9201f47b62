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
    [one] Excesso de tentativas. Aguarde { $count } segundo e tente novamente.
   *[other] Excesso de tentativas. Aguarde { $count } segundos e tente novamente.
}
login-wait-minutes = { $count ->
    [one] Excesso de tentativas. Aguarde { $count } minuto e tente novamente.
   *[other] Excesso de tentativas. Aguarde { $count } minutos e tente novamente.
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
scope-offline-access = Manter este acesso na sua ausência, até que você o remova

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
logout-all = Encerrar a sessão de todas as contas neste navegador
logged-out-title = Sessão encerrada
logged-out-heading = A sua sessão foi encerrada
logged-out-lead = As aplicações que abriu podem manter a sua própria sessão. Em um dispositivo compartilhado, feche também o navegador.
logged-out-onward = A sessão das aplicações que usou também está sendo encerrada. Depois seguirá para { $client }.
logged-out-can-go-on = Pode continuar para a aplicação de onde veio.
logged-out-go-on = Continuar para { $client }
logged-out-again = Iniciar sessão novamente

# A person's own account

account-title = A sua conta
account-since = Sessão iniciada em
account-logout = Encerrar sessão
account-switch = Mudar para outra conta
account-add = Adicionar outra conta
account-apps = Aplicações com acesso à sua conta
account-no-apps = Nenhuma.
account-at = Em
account-granted = Desde
account-used = Último uso
account-unused = Sem uso no momento
account-take-back = Remover o acesso
account-take-back-hint = de { $client }
account-sessions = Onde você iniciou sessão
account-this-browser = Este navegador
account-another-browser = Outro navegador
account-session-since = Iniciada em
account-session-seen = Última atividade
account-end = Encerrar essa sessão
account-end-hint = (iniciada em { $moment })
account-end-all = Encerrar todas as sessões
account-taken-back = Pronto. A aplicação já não tem acesso à sua conta.
account-session-ended = Pronto. Essa sessão foi encerrada.
account-password-changed = A sua senha foi alterada.

# Another password, with the old one at hand

password-change-title = Alterar a senha
password-forced-title = Escolher uma nova senha
password-forced-lead = A senha usada para iniciar sessão foi atribuída a você. Escolha uma que só você conheça e poderá continuar.
password-old = Senha atual
password-old-forced = Senha usada para iniciar sessão
password-new = Nova senha
password-rule = Pelo menos 8 caracteres. Longa é melhor que complicada.
password-end-sessions = Encerrar a minha sessão em outros navegadores e desconectar as aplicações que usei neles
password-submit = Alterar
password-go-on = Continuar
password-stay = Deixar como está
password-refused = A senha atual não está correta. Tente novamente.
password-form-expired = Esta página ficou aberta por tempo demais. Tente novamente.
password-busy = O servidor está ocupado no momento. Tente novamente em instantes.
password-too-short = A nova senha é curta demais: precisa de pelo menos 8 caracteres.
password-too-long = A nova senha é longa demais.
password-disallowed = A nova senha contém um caractere que não pode ser digitado em todos os dispositivos.
password-same-as-username = A nova senha não pode ser o nome de usuário.
password-same-as-before = A nova senha não pode ser a atual.

# A forgotten password

recovery-title = Esqueceu a sua senha?
recovery-lead = Diga-nos quem é. Enviaremos, para o endereço de e-mail associado à sua conta, um link para definir outra senha.
recovery-submit = Enviar o link
recovery-back = Voltar ao início de sessão
recovery-sent-title = Verifique o seu e-mail
recovery-sent-lead = Se a conta existir e tiver um endereço de e-mail, um link está a caminho. Funciona durante 30 minutos.
recovery-sent-hint = Não chegou nada? Verifique também a pasta de spam e aguarde alguns minutos antes de pedir novamente.
recovery-again = Pedir outro link
recovery-dead-link = Este link não funciona: já foi usado ou é antigo demais.
recovery-absent = Este servidor não envia e-mails. Peça outra senha aos responsáveis por ele.
new-password-title = Definir uma nova senha
new-password-lead = Para { $person }. Todas as suas sessões serão encerradas e as aplicações terão de pedir permissão novamente.
new-password-submit = Definir a senha
recovered-title = A sua senha foi alterada
recovered-lead = Todas as suas sessões foram encerradas. Inicie sessão com a nova senha.

# The mail with the link, in plain text

mail-recovery-subject = Definir uma nova senha para { $service }
mail-hello = Olá,
mail-recovery-asked = Alguém, provavelmente você, pediu para definir uma nova senha em { $service }. Use este link:
mail-recovery-life = { $count ->
    [one] Funciona uma única vez, durante { $count } minuto.
   *[other] Funciona uma única vez, durante { $count } minutos.
}
mail-recovery-ignore = Se não foi você, não faça nada: a sua senha continua a mesma.

# What cannot be carried out; the reason in the standards' words stands below, in English, for whoever makes the app

error-request = Não é possível atender a este pedido
error-request-lead = A aplicação de onde veio pede algo que não é possível desta forma.
error-later = Tente novamente em instantes
error-later-lead = O servidor não consegue responder neste momento.
error-server = Ocorreu um erro do nosso lado
error-server-lead = Não se deve a nada que você tenha feito.
error-denied = Acesso recusado
error-denied-lead = Este pedido não é permitido para esta conta ou devido à sua origem.
error-stale = Esta página ficou aberta por tempo demais ou foi aberta em outro navegador. Nada foi feito.
error-back = Volte à aplicação de onde veio e tente novamente. Se voltar a acontecer, comunique aos responsáveis os dados abaixo.
error-stranger = Você chegou aqui a partir de uma aplicação que { $service } não conhece bem, e o pedido dela não pode ser atendido. Pode informar a aplicação e voltar a ela, ou fechar esta página.
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
