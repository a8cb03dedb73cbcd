var e=`Principal
Pular para o conteúdo
Conta
Administração
Sair
Entrar
Criar conta
Idioma
Não foi possível mudar o idioma agora. Ele será usado a partir da próxima visita.
Informações legais
Privacidade
Olá, {name}
Sua sessão em {issuer} está aberta.
Boas-vindas a {issuer}
Não tem conta? Quem administra {issuer} pode criar uma para você.
Para criar uma conta é preciso um convite.
Senha, segundo fator e sessões abertas.
Usuários, convites e atividade.
Entrar
Nome de usuário ou e-mail
Entrar
Entre para ver esta página.
Sua sessão foi encerrada. Entre para continuar.
Esqueceu a senha?
Esqueceu a senha? Peça a quem administra um link para definir outra.
Primeira vez aqui?
Criar conta
Manter a sessão aberta
Desative isto em um dispositivo que outras pessoas usem.
{host} pede que você entre.
Continuar para {host}
Você entrou como {name}.
Continuar
{host} enviou você de volta para cá. Ou {name} não pode abrir esse endereço, ou o cookie desta sessão não chega lá. Fale com quem administra.
Usar outra conta
{name} não pode abrir esta página de {host}
As regras deste site não permitem. Use outra conta ou fale com quem administra.
Minha conta
Seu navegador não guarda a sessão
Você entrou aqui, mas sem um cookie {host} não tem como saber. Permita cookies para este site e tente de novo. Se já são permitidos, avise quem administra: esta página pode estar em um domínio diferente do que o servidor espera.
Endereço desconhecido
O endereço de onde você veio não pertence a este site, por isso você não volta para lá.
O servidor não responde, por isso sua sessão pode continuar aberta nos aplicativos. Deixe esta página aberta ou tente de novo.
Você saiu.
A sessão de {name} continua aberta nos aplicativos.
Entrar de novo
Isto exige um login recente. Entre de novo para continuar.
A senha ou o código estão errados.
Segundo fator
Digite os seis dígitos que seu app autenticador mostra.
Código
Digite um dos seus códigos de recuperação. Cada um serve uma vez.
Código de recuperação
Usar um código de recuperação
Usar o app autenticador
O código está errado, é antigo demais ou já foi usado.
Do seu app autenticador, ou um código de recuperação.
Nome de usuário
Senha
Nova senha
Senha atual
E-mail
Código do convite
Pelo menos {n} caracteres. Algumas palavras sem relação entre si são uma boa escolha, fácil de lembrar.
Mostrar a senha
opcional
Um momento …
Tente de novo em {n} segundo
Tente de novo em {n} segundos
Tente de novo em {n} minuto
Tente de novo em {n} minutos
Você já pode tentar de novo.
Cancelar
Salvar
Fechar
Criar conta
Criar conta
Já tem uma conta?
Enviaremos um link para confirmar o endereço.
Do link ou da mensagem que você recebeu.
Você já entrou, por isso o convite não foi usado. Saia para usá-lo.
O cadastro está fechado
As novas contas em {issuer} são criadas por quem administra. Peça uma.
Verifique seu e-mail
Enviamos um link para {email}. Abra-o para concluir o cadastro.
Se {email} pertence a uma conta, um link para definir outra senha está a caminho.
Se você pediu uma mensagem, ela está a caminho.
Nada depois de alguns minutos? Procure no spam ou tente de novo.
Voltar ao login
Enviar de novo
Endereço errado?
Enviar para este endereço
Enviado de novo. Use o link do e-mail mais recente.
Se {email} pertence a uma conta, outro link está a caminho. Use o mais recente.
Este nome já pertence a uma conta. Se você já abriu o link, entre.
Perdeu o e-mail do seu cadastro?
Crie a conta de novo com o mesmo nome e a mesma senha
Confirme seu endereço
Se você não pediu isto, feche a página: nada mudou.
Confirmar o endereço
Boas-vindas, {name}
Seu endereço está confirmado, sua conta está pronta e você já entrou.
Endereço confirmado
Agora {email} é o endereço de {name}.
Este link não funciona
Já foi usado, expirou ou não está completo. Se sua conta funciona, está tudo bem.
Ir para a página inicial
Confirme que {email} é o seu endereço. Ele passa então a ser o da conta {name} em {issuer}.
Esqueceu a senha?
Digite o endereço de e-mail da sua conta. Enviaremos um link para definir outra senha.
Enviar o link
Este servidor não envia e-mails. Peça a quem administra um link para definir outra senha.
Definir outra senha
Definir a senha
Sua senha está definida
Você entrou como {name}. Todas as outras sessões e senhas de aplicativo foram encerradas.
Já foi usado, expirou ou não está completo. Cada link serve uma vez.
Pedir outro link
Voltar
Você entrou como {name}. Este link substitui essa sessão por uma de {user}.
Mensagem protegida
O servidor só diz isto a quem entrou:
Conta
Membro desde {day}
Funções
Sem endereço
Perfil
Alterar o e-mail
Novo e-mail
Enviar confirmação
Enviamos um link para {email}. O novo endereço vale quando você o confirmar por lá.
Senha
Alterá-la encerra todas as suas outras sessões.
Alterar a senha
Sua senha foi alterada. Todas as outras sessões foram encerradas.
Manter minhas senhas de aplicativo
Caso contrário, elas também deixam de valer.
Segundo fator
Desativado. Com um código de um app autenticador, uma senha roubada não basta.
Ativado. Para entrar é preciso um código do seu app autenticador.
Ativar
Desativar
Novos códigos de recuperação
Continuar
Digite sua senha para começar.
Escaneie este código com seu app autenticador ou digite a chave.
Código QR para um app autenticador
Chave
Depois digite os seis dígitos que o app mostra.
É obrigatório para sua conta, por isso não pode ser desativado.
O segundo fator está desativado.
Neste celular: abrir no app autenticador
Resta {n} código de recuperação.
Restam {n} códigos de recuperação.
Seus códigos de recuperação
Guarde-os onde você os encontre sem o celular. Cada um serve para entrar uma vez. Eles só são mostrados agora.
Copiar
Salvar em um arquivo
Já salvei os códigos
Configure o segundo fator
{issuer} exige um segundo fator para sua conta: um código de um app autenticador no seu celular. Todo o resto abre depois que você o configurar.
Sessões
Esta sessão
Aberta também nos aplicativos
Dispositivo desconhecido
desde {when}
último uso {when}
Encerrar
Encerrar a sessão em {device}, {address}
Essa sessão foi encerrada.
Encerrar todas as sessões
Todas as suas sessões são encerradas, inclusive esta.
Senhas de aplicativo
Para programas que não podem mostrar uma página de login, como calendários, git e leitores de notícias. Encerrar todas as sessões não as afeta.
Adicionar senha de aplicativo
Nome
O programa ou o dispositivo que vai usá-la.
um ano
até que você a exclua
Só para estes servidores
Como cal.example.org ou *.example.org, separados por vírgulas.
Também pode ler da API de {issuer}
Criar senha de aplicativo
Nova senha de aplicativo
Use-a com o nome de usuário {name}. Ela só é mostrada agora.
nunca usada
Excluir
Excluir a senha de aplicativo {name}
A senha de aplicativo foi excluída.
Excluir a conta
Sua conta e todas as suas sessões desaparecem imediatamente. Isto não pode ser desfeito.
Excluir minha conta
Sua conta foi excluída.
Administração
Administração
Usuários
Convites
Auditoria
E-mails
Só para quem administra
Sua conta não tem a função admin.
Buscar por nome ou e-mail
Ninguém encontrado.
Desativada
Segundo fator
Adicionar usuário
Adicionar outro
Função
Ainda não confirmada
Ordem
Conta mais antiga primeiro
Conta mais recente primeiro
Por nome
Por nome, em ordem inversa
Login mais recente primeiro
Login mais antigo primeiro
{n} usuário
{n} usuários
Pelo menos {n} usuários
{email} ainda não confirmado
último login {when}
Todos
Limpar filtros
Mostrar mais ({n})
Próxima página
Página anterior
Primeira página
Páginas
Todos os usuários
Número
Desde
Estado
Ativa
Ativado
Desativado
Ativar
Desativar
A conta de {name} está ativa.
A conta de {name} está desativada e todas as suas sessões foram encerradas.
Separadas por vírgulas. Quem administra tem a função admin.
As funções foram salvas e já valem.
Nova senha
Crie um link com que {name} define outra senha. Entregue-o por um meio em que você confie.
Criar link
Serve uma vez, até {when}. Ele só é mostrado agora.
Link
Sessões
{n} sessão
{n} sessões
Sem sessões abertas.
Encerrar todas as sessões
Todas as sessões de {name} foram encerradas.
Atividade
Excluir a conta
A conta de {name} e todas as suas sessões desaparecem imediatamente. Isto não pode ser desfeito.
Excluir {name}
A conta de {name} foi excluída.
Ainda não confirmada
Último login
Nunca
{name} ainda não abriu o link do e-mail. Você pode ativar a conta sem isso.
Desativar sua própria conta
Sua sessão é encerrada imediatamente, e só outra pessoa que administre pode ativar sua conta de novo.
Deixar de administrar
Sem a função admin você não pode mais abrir estas páginas. Só outra pessoa que administre pode devolvê-la.
{n} tentativa com falha desde o último login.
{n} tentativas com falha desde o último login.
Dispositivos novos são recusados.
Desbloquear
As tentativas com falha de {name} foram esquecidas.
O novo endereço vale imediatamente, sem confirmação. {name} recebe um aviso no anterior.
O endereço agora é {email}.
A conta não tem mais endereço.
Se {name} perdeu o celular e os códigos de recuperação, retire o segundo fator: depois basta a senha.
Redefinir o segundo fator
Tem certeza de que é {name} quem pede isto? Até que outro segundo fator seja configurado, basta a senha.
{name} não tem mais segundo fator.
Enviar por e-mail
Um link está a caminho de {email}.
Criar outro link
O link foi usado ou não funciona mais.
Encerrar
Encerrar a sessão em {device}, {address}
A conta fica pronta imediatamente. A pessoa define a senha com um link, que você verá em seguida.
A conta {name} foi criada.
Abrir {name}
Copiar
Copiado.
Convidar alguém
Um convite permite que uma pessoa crie uma conta.
No momento, o cadastro não é por convite (--registration), por isso ninguém precisa de um.
Válido por
um dia
uma semana
um mês
Criar convite
Serve uma vez, até {when}. Ele só é mostrado agora.
Código
Link
Convites abertos
Não há nenhum.
até {when}
sem funções
Revogar
Revogar o convite {id}
O convite foi revogado.
O convite também é enviado para lá.
Nota
Aparece no e-mail. No máximo {n} caracteres.
O convite foi usado ou expirou.
O convite está a caminho de {email}.
Nenhuma atividade.
Nada até aqui; a próxima página pode ter mais.
O nome de usuário e o endereço IP precisam estar completos, com os acentos.
Só o que diz respeito a
usuário {n}
um nome que ninguém tem
na linha de comando
Evento
Endereço IP
De
Até
Só logins com falha
Salvar como CSV
Salvar como JSON Lines
Parar
{n} entrada até agora …
{n} entradas até agora …
{n} entrada salva.
{n} entradas salvas.
senhas de aplicativo mantidas
não comparada: muitas falharam
segundo fator
segundo fator, para redefinir a senha
segundo fator, com a sessão aberta
com a sessão aberta
convite {id}
sem aviso por e-mail: muitos avisos
por {name}
de {address}
E-mails que aguardam envio e os que foram abandonados.
Este servidor não envia e-mails (--mail).
Nenhum e-mail aguarda envio.
Recarregar
Aguardando
Abandonado
{n} tentativa
{n} tentativas
próxima tentativa {when}
Tentar agora
Tentar agora: {kind}, {email}
“{kind}” para {email} será tentado de novo em segundos.
Descartar
Descartar: {kind}, {email}
“{kind}” para {email} foi descartado.
Confirmar a conta
Confirmar o novo endereço
Link para uma nova senha
Convite
E-mail de teste
Aviso: endereço alterado
Aviso: senha alterada
Aviso: segundo fator ativado
Aviso: segundo fator desativado
Aviso: código de recuperação usado
Aviso: novos códigos de recuperação
Aviso: conta excluída
Aviso: login em um dispositivo novo
Aviso: muitas tentativas com falha
Aviso: a conta tem outro nome
Conta criada pelo próprio usuário
Conta criada
Login
Falha de login
Login recusado
Token antigo repetido
Token adotado
Navegador conectado aos aplicativos com um token
Login em um dispositivo novo
Muitas tentativas com falha; dispositivos novos são recusados
Logout
Todas as sessões encerradas
Sessão encerrada
Senha alterada
Senha definida por link
Senha de aplicativo criada
Senha de aplicativo excluída
Link para nova senha pedido
Novo endereço a confirmar
Endereço confirmado
Endereço alterado
Falha de e-mail
E-mail de teste enviado
E-mail tentado de novo
E-mail descartado
Segundo fator pedido
Configuração do segundo fator iniciada
Segundo fator ativado
Segundo fator desativado
Segundo fator redefinido
Código de recuperação usado
Novos códigos de recuperação
Funções alteradas
Conta ativada
Conta desativada
Tentativas com falha esquecidas
Link para nova senha criado
Link para nova senha enviado
Convite criado
Convite revogado
Conta excluída
Chave renovada
Chave desativada
Hash da senha renovado
Contas importadas
Banco de dados restaurado de um backup
Página não encontrada
Não há nada neste endereço.
Carregando …
Tentar de novo
Não foi possível carregar esta página
Sem conexão com o servidor. Tentando de novo …
No máximo 64 caracteres.
Letras, números e pontuação, mas sem espaços.
Um endereço de e-mail não pode ser nome de usuário. Escolha um nome sem @.
É longa demais.
Contém um caractere que não pode ser digitado em todo lugar.
Pelo menos {n} caracteres.
É pouco mais do que o nome de usuário.
É pouco mais do que o endereço de e-mail.
É pouco mais do que o nome deste programa.
É pouco mais do que o nome deste serviço.
É uma das senhas mais comuns, que são tentadas primeiro.
Ainda é curta demais.
Fácil de adivinhar. Melhor: algumas palavras sem relação entre si.
Poderia ser mais difícil de adivinhar: acrescente outra palavra.
Difícil de adivinhar.
Este endereço pertence a outra conta.
No máximo 16 funções.
Uma função tem de 1 a 64 letras, números ou _ . : -
No máximo 64 caracteres, e nenhum invisível.
Isto não é um servidor. Escreva como cal.example.org ou *.example.org.
No máximo {n} servidores.
Criar a conta de administração
Escolha o nome e a senha da primeira conta de administração. A sessão é aberta em seguida.
Você entrou como {name}. Aqui você cria outra conta.
Criar a conta de administração
Ainda ninguém administra este serviço. Ao iniciar, o servidor mostra um link que cria a conta de administração: no terminal ou no log.
Ou execute este comando onde o servidor está, com o --database do servidor, se houver:
Para uma conta que já existe:
Está incompleto, já foi usado ou foi substituído quando o servidor foi reiniciado. O mais recente está no log do servidor.
Já há quem administre
O link já foi usado, ou a conta de administração foi criada de outra forma.
Seus aplicativos
Primeiros passos
O que convém ver antes que outras pessoas cheguem. As configurações são dadas ao servidor quando ele inicia.
Feito
A fazer
Está feito
Ocultar a lista
A lista dos primeiros passos está oculta neste navegador. Ela continua em {address}.
Nome do serviço
Chama-se {issuer}. O nome aparece nas páginas, nos e-mails e nos apps autenticadores.
Quem pode criar uma conta
Qualquer pessoa que acesse o servidor.
Qualquer pessoa que confirme um endereço de e-mail.
Só pessoas com um convite.
Ninguém: você cria as contas.
Esta configuração altera isso:
E-mail
O servidor envia e-mails. Veja se eles chegam.
O servidor não envia e-mails, por isso ninguém pode definir uma nova senha sem ajuda. Estas configurações ativam o envio:
Enviar um e-mail de teste
O e-mail para {email} aguarda o envio.
O e-mail para {email} foi enviado. Veja a caixa de entrada.
Não foi possível enviar o e-mail para {email}.
Segundo fator
Sua conta tem um segundo fator.
Assim, quem descobrir a senha ainda não entra na sua conta.
Ativar na sua conta
Backup
Este comando copia as contas e as chaves com o servidor em funcionamento. Execute-o todos os dias.
Este comando copia as contas com o servidor em funcionamento. Copie também o arquivo da chave.
Não é possível acessar o servidor. O que você digitou continua aqui.
Não é possível ler a resposta do servidor.
Preencha este campo.
Isto não é um endereço de e-mail.
O servidor não entendeu isto.
Este nome de usuário não pode ser usado.
Esta senha não pode ser usada.
Este nome de usuário já está em uso.
O cadastro está fechado. Peça uma conta a quem administra.
O convite está errado, já foi usado ou expirou. Peça outro.
O link não é válido ou não é mais.
Já há quem administre.
O link deste e-mail expirou. Exclua o e-mail.
Há convites abertos demais. Revogue alguns primeiro.
Há senhas de aplicativo demais. Exclua uma primeiro.
O nome de usuário ou a senha estão errados.
Você não entrou.
Sua sessão não é válida. Entre de novo.
Sua sessão não é válida. Entre de novo.
O prazo para isto acabou.
Sua sessão foi encerrada. Entre de novo.
É cedo demais para renovar a sessão.
Este link serve para confirmar um endereço.
Este link serve para definir outra senha.
Este link já foi usado ou não é válido.
Este link já foi usado ou não é válido.
Esta conta não existe mais.
Esta conta não está ativa. O endereço já foi confirmado? Se sim, fale com quem administra.
Sua sessão foi encerrada. Entre de novo.
Sua sessão foi encerrada. Entre de novo.
O navegador tem cookies de várias sessões. Apague os cookies deste site e entre de novo.
Entrar nos aplicativos exige HTTPS. Fale com quem administra.
Sua conta não tem a função que isto exige.
A senha está errada.
É preciso também um código do segundo fator.
O segundo fator já está ativado.
Não há segundo fator, ou a confirmação demorou demais. Comece de novo.
O código está errado, é antigo demais ou já foi usado.
É preciso também um código do segundo fator.
Sua conta precisa ter um segundo fator.
Isto exige um login recente. Entre de novo.
O servidor não aceita pedidos de páginas neste endereço.
As regras deste site não permitem isto.
A senha de aplicativo está errada ou não vale mais.
A senha de aplicativo não é permitida aqui.
Este login é só para um aplicativo. Entre de novo.
Primeiro é preciso haver outra conta ativa que administre e que tenha senha.
A conta não está ativa. Ative-a primeiro.
Isto não existe mais.
O servidor não oferece isto.
Tentativas demais. Espere um pouco.
O servidor está ocupado. Tente de novo daqui a pouco.
Algo deu errado no servidor. O log do servidor diz o quê.
Este servidor não envia e-mails. Peça a quem administra um link para definir outra senha.`.split(`
`);export{e as ptBR};