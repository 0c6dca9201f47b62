# Read out before the name of whoever is signed in

signed-in-as = サインイン中のユーザー：

# Signing in

login-title = サインイン
login-client = 続けて { $client } に進みます
login-back-host = このあと { $host } に戻ります
login-back-device = このあと、このデバイスのアプリに戻ります
login-username = ユーザー名またはメールアドレス
login-password = パスワード
login-submit = サインイン
login-refused = サインインできませんでした。ユーザー名とパスワードを確認して、もう一度お試しください。
login-wait-seconds = 試行回数が多すぎます。{ $count }秒待ってから、もう一度お試しください。
login-wait-minutes = 試行回数が多すぎます。{ $count }分待ってから、もう一度お試しください。
login-form-expired = このページを開いてから時間が経ちすぎました。もう一度サインインしてください。
login-busy = 現在サインインに時間がかかっています。しばらくしてからもう一度お試しください。

# Choosing among the accounts of this browser

choice-title = アカウントを選択
choice-other = 別のアカウントを使用

# Saying yes or no to what an app asks for; what a scope allows follows "consent-scopes"

consent-title = アクセスの許可
consent-heading = { $client } があなたのアカウントへのアクセスを求めています
consent-unverified = 未確認
consent-warning = このアプリは自ら登録したもので、名称は { $service } による確認を受けていません。ご自身で始めた操作の場合にのみ続けてください。
consent-not-you = 別の方ですか？
consent-scopes = 許可すると、アプリができること
consent-resources = あなたの代わりにアクセスする先
consent-deny = 拒否
consent-allow = 許可
consent-back-host = どちらの場合も { $host } に戻ります。
consent-back-device = どちらの場合も、このデバイスのアプリに戻ります。
scope-openid = あなたが誰であるかを知る
scope-profile = 名前とプロフィール（写真、言語、タイムゾーンなど）を見る
scope-email = メールアドレスを見る
scope-address = 住所を見る
scope-phone = 電話番号を見る
scope-offline-access = あなたが取り消すまで、不在のときもこのアクセスを続ける

# An app's own pages

links-policy = プライバシーポリシー
links-terms = 利用規約
links-hint = （アプリのページを新しいタブで開きます）

# Signing out

logout-title = サインアウト
logout-heading = サインアウトしますか？
logout-here = このブラウザーで { $service } からサインアウトします。
logout-asked = { $client } からサインアウトの要求がありました。
logout-another = これは、このブラウザーとは別のサインインに関する要求です。現在サインインしているユーザーを確認してください。
logout-to-host = このあと { $host } に進みます。
logout-to-device = このあと、このデバイスのアプリに進みます。
logout-stay = キャンセル
logout-confirm = サインアウト
logout-all = 全アカウントからサインアウト
logged-out-title = サインアウト完了
logged-out-heading = サインアウトしました
logged-out-lead = 開いているアプリでは、サインインしたままの場合があります。共用のデバイスでは、ブラウザーも閉じてください。
logged-out-onward = 使用したアプリからもサインアウトしています。このあと { $client } に進みます。
logged-out-can-go-on = ここへ案内したアプリに進むことができます。
logged-out-go-on = { $client } に進む
logged-out-again = もう一度サインイン

# A person's own account

account-title = アカウント
account-since = サインイン日時
account-logout = サインアウト
account-switch = 別のアカウントに切り替える
account-add = アカウントを追加
account-apps = アカウントにアクセスできるアプリ
account-no-apps = ありません。
account-at = アクセス先
account-granted = 許可日時
account-used = 最終利用
account-unused = 現在は利用なし
account-take-back = 許可を取り消す
account-take-back-hint = （{ $client }）
account-sessions = サインイン中の場所
account-this-browser = このブラウザー
account-another-browser = 別のブラウザー
account-session-since = サインイン
account-session-seen = 最終アクセス
account-end = サインアウト
account-end-hint = （{ $moment } にサインイン）
account-end-all = すべての場所からサインアウト
account-taken-back = 完了しました。アプリはもうアカウントにアクセスできません。
account-session-ended = 完了しました。別のブラウザーからサインアウトしました。
account-password-changed = パスワードを変更しました。

# Another password, with the old one at hand

password-change-title = パスワードを変更
password-forced-title = 新しいパスワードの設定
password-forced-lead = サインインに使ったパスワードは割り当てられたものです。ご自身だけが知るパスワードを設定すると、先に進めます。
password-old = 現在のパスワード
password-old-forced = サインインに使ったパスワード
password-new = 新しいパスワード
password-rule = 8文字以上。複雑さよりも長さが大切です。
password-end-sessions = ほかのブラウザーからサインアウトし、そこで使ったアプリの接続も解除する
password-submit = 変更
password-go-on = 次へ
password-stay = 変更しない
password-refused = 現在のパスワードが正しくありません。もう一度お試しください。
password-form-expired = このページを開いてから時間が経ちすぎました。もう一度お試しください。
password-busy = 現在サーバーが混み合っています。しばらくしてからもう一度お試しください。
password-too-short = 新しいパスワードが短すぎます。8文字以上必要です。
password-too-long = 新しいパスワードが長すぎます。
password-disallowed = 新しいパスワードに、一部のデバイスで入力できない文字が含まれています。
password-same-as-username = ユーザー名と同じパスワードは使えません。
password-same-as-before = 現在のパスワードと同じものは使えません。

# A forgotten password

recovery-title = パスワードをお忘れですか？
recovery-lead = ユーザー名またはメールアドレスを入力してください。登録されているメールアドレスに、パスワードを再設定するリンクをお送りします。
recovery-submit = リンクを送信
recovery-back = サインインに戻る
recovery-sent-title = メールを確認してください
recovery-sent-lead = アカウントとメールアドレスが登録されている場合は、そのアドレスにリンクをお送りしました。リンクは30分間有効です。
recovery-sent-hint = 届かない場合は、迷惑メールフォルダーも確認し、数分待ってからもう一度お試しください。
recovery-again = 新しいリンクをリクエスト
recovery-dead-link = このリンクは使えません。すでに使用されたか、有効期限が切れています。
recovery-absent = このサーバーはメールを送信しません。新しいパスワードについては管理者にお問い合わせください。
new-password-title = 新しいパスワードを設定
new-password-lead = { $person } のパスワードを設定します。すべての場所からサインアウトされ、アプリはもう一度許可を求めることになります。
new-password-submit = パスワードを設定
recovered-title = パスワードを変更しました
recovered-lead = すべての場所からサインアウトしました。新しいパスワードでサインインしてください。

# The mail with the link, in plain text

mail-recovery-subject = { $service } の新しいパスワードの設定
mail-hello = いつもご利用いただきありがとうございます。
mail-recovery-asked = { $service } の新しいパスワードを設定する要求がありました。次のリンクから設定できます。
mail-recovery-life = リンクは{ $count }分間有効で、一度だけ使えます。
mail-recovery-ignore = お心当たりがない場合は、何もする必要はありません。パスワードは変更されません。

# What cannot be carried out; the reason in the standards' words stands below, in English, for whoever makes the app

error-request = この要求は実行できません
error-request-lead = ここへ案内したアプリの要求は、このままでは実行できません。
error-later = しばらくしてからもう一度お試しください
error-later-lead = 現在サーバーが応答できません。
error-server = サーバーで問題が発生しました
error-server-lead = お客様の操作が原因ではありません。
error-denied = アクセスが拒否されました
error-denied-lead = この要求は、このアカウントでは、またはこの送信元からは許可されていません。
error-stale = このページは開いてから時間が経ちすぎたか、別のブラウザーで開かれたものです。何も実行されていません。
error-back = 元のアプリに戻って、もう一度お試しください。繰り返し発生する場合は、下記の内容をアプリの提供元にお伝えください。
error-stranger = { $service } が十分に把握していないアプリから案内されましたが、その要求は実行できません。アプリに伝えて戻るか、このページを閉じてください。
error-back-host = { $host } に戻る
error-back-device = このデバイスのアプリに戻る
error-look-again = 要求をもう一度確認
error-code = コード
error-reason = 理由
error-number = 番号

# Carrying an answer to an app in a form

form-post-title = アプリに戻ります
form-post-heading = { $client } に戻ります
form-post-lead = 何も起こらない場合は、ボタンを押してください。
form-post-submit = 続ける
