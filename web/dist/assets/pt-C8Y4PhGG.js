var e=`Principal
Saltar para o conteúdo
Conta
Administração
Terminar sessão
Iniciar sessão
Criar conta
Idioma
Agora não foi possível mudar o idioma. É usado a partir da próxima visita.
Informação legal
Privacidade
Olá, {name}
Tem sessão iniciada em {issuer}.
Boas-vindas a {issuer}
Não tem conta? Quem administra {issuer} pode criar uma para si.
Para criar uma conta é preciso um convite.
Palavra-passe, segundo fator e sessões abertas.
Utilizadores, convites e atividade.
Iniciar sessão
Nome de utilizador ou e-mail
Iniciar sessão
Inicie sessão para ver esta página.
A sua sessão terminou. Inicie sessão para continuar.
Esqueceu-se da palavra-passe?
Esqueceu-se da palavra-passe? Peça a quem administra um link para definir outra.
É a primeira vez?
Criar conta
Manter a sessão iniciada
Desative isto num dispositivo que outras pessoas usem.
{host} pede-lhe que inicie sessão.
Continuar para {host}
Tem sessão iniciada como {name}.
Continuar
Voltou de {host} para aqui: ou {name} não o pode abrir, ou o cookie desta sessão não chega lá. Fale com quem administra.
Usar outra conta
{name} não pode abrir esta página de {host}
As regras deste site não o permitem. Use outra conta, ou fale com quem administra.
A minha conta
O seu navegador não guarda a sessão
Tem sessão iniciada aqui, mas sem um cookie {host} não o pode saber. Permita cookies para este site e tente de novo. Se já são permitidos, avise quem administra: esta página pode estar num domínio diferente do que o servidor espera.
Endereço desconhecido
O endereço de onde veio não pertence a este site, por isso não volta para lá.
O servidor não responde, por isso a sua sessão pode continuar aberta nas aplicações. Deixe esta página aberta, ou tente de novo.
Terminou a sessão.
A sessão de {name} continua aberta nas aplicações.
Iniciar sessão de novo
Isto exige um início de sessão recente. Inicie sessão de novo para continuar.
A palavra-passe ou o código estão errados.
Segundo fator
Introduza os seis dígitos que a sua aplicação de autenticação mostra.
Código
Introduza um dos seus códigos de recuperação. Cada um serve uma vez.
Código de recuperação
Usar um código de recuperação
Usar a aplicação de autenticação
O código está errado, é demasiado antigo ou já foi usado.
Da sua aplicação de autenticação, ou um código de recuperação.
Nome de utilizador
Palavra-passe
Nova palavra-passe
Palavra-passe atual
E-mail
Código do convite
Pelo menos {n} caracteres. Algumas palavras sem relação entre si são uma boa escolha, fácil de lembrar.
Mostrar a palavra-passe
opcional
Um momento …
Tente de novo dentro de {n} segundo
Tente de novo dentro de {n} segundos
Tente de novo dentro de {n} minuto
Tente de novo dentro de {n} minutos
Já pode tentar de novo.
Cancelar
Guardar
Fechar
Criar conta
Criar conta
Já tem conta?
Enviamos um link para confirmar o endereço.
Do link ou da mensagem que recebeu.
Já tem sessão iniciada, por isso o convite não foi usado. Termine a sessão para o usar.
O registo está fechado
As novas contas em {issuer} são criadas por quem administra. Peça-lhe uma.
Consulte o seu e-mail
Enviámos um link para {email}. Abra-o para concluir o registo.
Se {email} pertence a uma conta, vai a caminho um link para definir outra palavra-passe.
Se pediu uma mensagem, ela vai a caminho.
Nada ao fim de alguns minutos? Procure no spam, ou tente de novo.
Voltar ao início de sessão
Enviar de novo
Endereço errado?
Enviar para este endereço
Enviado de novo. Use o link do e-mail mais recente.
Se {email} pertence a uma conta, vai a caminho outro link. Use o mais recente.
Este nome já pertence a uma conta. Se já abriu o link, inicie sessão.
Perdeu o e-mail do seu registo?
Registe-se de novo com o mesmo nome e a mesma palavra-passe
Confirme o seu endereço
Se não pediu isto, feche a página: nada mudou.
Confirmar o endereço
Boas-vindas, {name}
O seu endereço está confirmado, a conta está pronta e tem sessão iniciada.
Endereço confirmado
{email} é agora o endereço de {name}.
Este link não funciona
Já foi usado, expirou ou não está completo. Se a sua conta funciona, está tudo bem.
Ir para a página inicial
Confirme que {email} é o seu endereço. Passa então a ser o da conta {name} em {issuer}.
Esqueceu-se da palavra-passe?
Introduza o endereço de e-mail da sua conta. Enviamos um link para definir outra palavra-passe.
Enviar o link
Este servidor não envia e-mails. Peça a quem administra um link para definir outra palavra-passe.
Definir outra palavra-passe
Definir a palavra-passe
A sua palavra-passe está definida
Tem sessão iniciada como {name}. Todas as outras sessões e palavras-passe de aplicação terminaram.
Já foi usado, expirou ou não está completo. Cada link serve uma vez.
Pedir outro link
Voltar
Iniciou sessão como {name}. Este link substitui essa sessão por uma de {user}.
Mensagem protegida
O servidor só diz isto a quem tem sessão iniciada:
Conta
Membro desde {day}
Funções
Sem endereço
Perfil
Alterar o e-mail
Novo e-mail
Enviar confirmação
Enviámos um link para {email}. O novo endereço vale quando o confirmar aí.
Palavra-passe
Alterá-la termina todas as suas outras sessões.
Alterar a palavra-passe
A sua palavra-passe foi alterada. Todas as outras sessões terminaram.
Manter as minhas palavras-passe de aplicação
Caso contrário, também deixam de servir.
Segundo fator
Desativado. Com um código de uma aplicação de autenticação, uma palavra-passe roubada não chega.
Ativado. Para iniciar sessão é preciso um código da sua aplicação de autenticação.
Ativar
Desativar
Novos códigos de recuperação
Continuar
Introduza a sua palavra-passe para começar.
Digitalize este código com a sua aplicação de autenticação, ou escreva a chave.
Código QR para uma aplicação de autenticação
Chave
Depois introduza os seis dígitos que a aplicação mostra.
É obrigatório para a sua conta, por isso não pode ser desativado.
O segundo fator está desativado.
Neste telemóvel: abrir na aplicação de autenticação
Resta {n} código de recuperação.
Restam {n} códigos de recuperação.
Os seus códigos de recuperação
Guarde-os onde os encontre sem o telemóvel. Cada um serve para iniciar sessão uma vez. Só são mostrados agora.
Copiar
Guardar num ficheiro
Já os guardei
Configure o segundo fator
{issuer} exige um segundo fator para a sua conta: um código de uma aplicação de autenticação no seu telemóvel. Tudo o resto abre depois de o configurar.
Sessões
Esta sessão
Aberta também nas aplicações
Dispositivo desconhecido
desde {when}
última utilização {when}
Terminar
Terminar a sessão em {device}, {address}
Essa sessão terminou.
Terminar todas as sessões
Todas as suas sessões terminam, incluindo esta.
Palavras-passe de aplicação
Para programas que não podem mostrar uma página de início de sessão, como calendários, git e leitores de notícias. Terminar todas as sessões não as afeta.
Adicionar palavra-passe de aplicação
Nome
O programa ou o dispositivo que a vai usar.
um ano
até a eliminar
Só para estes servidores
Como cal.example.org ou *.example.org, separados por vírgulas.
Também pode ler da API de {issuer}
Criar palavra-passe de aplicação
Nova palavra-passe de aplicação
Use-a com o nome de utilizador {name}. Só é mostrada agora.
nunca usada
Eliminar
Eliminar a palavra-passe de aplicação {name}
A palavra-passe de aplicação foi eliminada.
Eliminar a conta
A sua conta e todas as suas sessões desaparecem de imediato. Não pode ser desfeito.
Eliminar a minha conta
A sua conta foi eliminada.
Administração
Administração
Utilizadores
Convites
Auditoria
E-mails
Só para quem administra
A sua conta não tem a função admin.
Procurar por nome ou e-mail
Ninguém encontrado.
Desativada
Segundo fator
Adicionar utilizador
Adicionar outro
Função
Por confirmar
Ordem
Conta mais antiga primeiro
Conta mais recente primeiro
Por nome
Por nome, por ordem inversa
Início de sessão mais recente primeiro
Início de sessão mais antigo primeiro
{n} utilizador
{n} utilizadores
Pelo menos {n} utilizadores
{email} por confirmar
último início de sessão {when}
Todos
Limpar filtros
Mostrar mais ({n})
Página seguinte
Página anterior
Primeira página
Páginas
Todos os utilizadores
Número
Desde
Estado
Ativa
Ativado
Desativado
Ativar
Desativar
A conta de {name} está ativa.
A conta de {name} está desativada e todas as suas sessões terminaram.
Separadas por vírgulas. Quem administra tem a função admin.
As funções estão guardadas e aplicam-se de imediato.
Nova palavra-passe
Crie um link com que {name} define outra palavra-passe. Entregue-o por um meio em que confie.
Criar link
Serve uma vez, até {when}. Só é mostrado agora.
Link
Sessões
{n} sessão
{n} sessões
Sem sessões abertas.
Terminar todas as sessões
Todas as sessões de {name} terminaram.
Atividade
Eliminar a conta
A conta de {name} e todas as suas sessões desaparecem de imediato. Não pode ser desfeito.
Eliminar {name}
A conta de {name} foi eliminada.
Por confirmar
Último início de sessão
Nunca
{name} ainda não abriu o link do e-mail. Pode ativar a conta sem isso.
Desativar a sua própria conta
A sua sessão termina de imediato, e só outra pessoa que administre pode voltar a ativar a sua conta.
Deixar de administrar
Sem a função admin já não pode abrir estas páginas. Só outra pessoa que administre a pode devolver.
{n} tentativa falhada desde o último início de sessão.
{n} tentativas falhadas desde o último início de sessão.
Dispositivos novos são recusados.
Desbloquear
As tentativas falhadas de {name} foram esquecidas.
O novo endereço aplica-se de imediato, sem confirmação. {name} recebe um aviso no anterior.
O endereço é agora {email}.
A conta já não tem endereço.
Se {name} perdeu o telemóvel e os códigos de recuperação, retire o segundo fator: depois basta a palavra-passe.
Repor o segundo fator
Tem a certeza de que é {name} quem o pede? Até configurar outro segundo fator, basta a palavra-passe.
{name} já não tem segundo fator.
Enviar por e-mail
Um link vai a caminho de {email}.
Criar outro link
O link foi usado ou já não funciona.
Terminar
Terminar a sessão em {device}, {address}
A conta fica pronta de imediato. A pessoa define a palavra-passe com um link, que verá a seguir.
A conta {name} foi criada.
Abrir {name}
Copiar
Copiado.
Convidar alguém
Um convite permite a uma pessoa criar uma conta.
De momento, o registo não é por convite (--registration), por isso ninguém precisa de um.
Válido por
um dia
uma semana
um mês
Criar convite
Serve uma vez, até {when}. Só é mostrado agora.
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
O convite vai a caminho de {email}.
Sem atividade.
Nada até aqui; a página seguinte pode ter mais.
O nome de utilizador e o endereço IP têm de estar completos, com os acentos.
Só o que diz respeito a
utilizador {n}
um nome que ninguém tem
na linha de comandos
Acontecimento
Endereço IP
De
Até
Só inícios de sessão falhados
Guardar como CSV
Guardar como JSON Lines
Parar
{n} entrada até agora …
{n} entradas até agora …
{n} entrada guardada.
{n} entradas guardadas.
palavras-passe de aplicação mantidas
não comparada: demasiadas falharam
segundo fator
segundo fator, para repor a palavra-passe
segundo fator, com sessão iniciada
com sessão iniciada
convite {id}
sem aviso por e-mail: demasiados
por {name}
de {address}
E-mails à espera de envio, e os que foram abandonados.
Este servidor não envia e-mails (--mail).
Não há e-mails à espera.
Recarregar
À espera
Abandonado
{n} tentativa
{n} tentativas
próxima tentativa {when}
Tentar já
Tentar já: {kind}, {email}
«{kind}» para {email} é tentado de novo dentro de segundos.
Eliminar
Eliminar: {kind}, {email}
«{kind}» para {email} foi eliminado.
Confirmar a conta
Confirmar o novo endereço
Link para uma nova palavra-passe
Convite
E-mail de teste
Aviso: endereço alterado
Aviso: palavra-passe alterada
Aviso: segundo fator ativado
Aviso: segundo fator desativado
Aviso: código de recuperação usado
Aviso: novos códigos de recuperação
Aviso: conta eliminada
Aviso: início de sessão num dispositivo novo
Aviso: demasiadas tentativas falhadas
Aviso: a conta tem outro nome
Conta criada pelo próprio utilizador
Conta criada
Início de sessão
Início de sessão falhado
Início de sessão recusado
Token antigo repetido
Token adotado
Navegador com sessão nas aplicações, por um token
Início de sessão num dispositivo novo
Demasiadas tentativas falhadas; dispositivos novos são recusados
Fim de sessão
Todas as sessões terminadas
Sessão terminada
Palavra-passe alterada
Palavra-passe definida por link
Palavra-passe de aplicação criada
Palavra-passe de aplicação eliminada
Link para nova palavra-passe pedido
Novo endereço por confirmar
Endereço confirmado
Endereço alterado
E-mail falhado
E-mail de teste enviado
E-mail tentado de novo
E-mail eliminado
Segundo fator pedido
Configuração do segundo fator iniciada
Segundo fator ativado
Segundo fator desativado
Segundo fator reposto
Código de recuperação usado
Novos códigos de recuperação
Funções alteradas
Conta ativada
Conta desativada
Tentativas falhadas esquecidas
Link para nova palavra-passe criado
Link para nova palavra-passe enviado
Convite criado
Convite revogado
Conta eliminada
Chave renovada
Chave retirada
Hash da palavra-passe renovado
Contas importadas
Base de dados restaurada de uma cópia de segurança
Página não encontrada
Não há nada neste endereço.
A carregar …
Tentar de novo
Não foi possível carregar esta página
Sem ligação ao servidor. A tentar de novo …
No máximo 64 caracteres.
Letras, algarismos e pontuação, mas sem espaços.
Um endereço de e-mail não pode ser nome de utilizador. Escolha um nome sem @.
É demasiado longa.
Contém um caráter que não se pode escrever em todo o lado.
Pelo menos {n} caracteres.
É pouco mais do que o nome de utilizador.
É pouco mais do que o endereço de e-mail.
É pouco mais do que o nome deste programa.
É pouco mais do que o nome deste serviço.
É uma das palavras-passe mais comuns, que são experimentadas primeiro.
Ainda é demasiado curta.
Fácil de adivinhar. Melhor: algumas palavras sem relação entre si.
Podia ser mais difícil de adivinhar: acrescente outra palavra.
Difícil de adivinhar.
Este endereço pertence a outra conta.
No máximo 16 funções.
Uma função tem 1 a 64 letras, algarismos ou _ . : -
No máximo 64 caracteres, e nenhum que não se veja.
Isto não é um servidor. Escreva-o como cal.example.org ou *.example.org.
No máximo {n} servidores.
Criar a conta de administração
Escolha o nome e a palavra-passe da primeira conta de administração. A sessão é iniciada de seguida.
Iniciou sessão como {name}. Aqui cria outra conta.
Criar a conta de administração
Ainda ninguém administra este serviço. Ao arrancar, o servidor mostra um link que cria a conta de administração: no terminal ou no registo.
Ou execute este comando onde o servidor está, com o --database do servidor, se o tiver:
Para uma conta que já existe:
Está incompleto, já foi usado ou foi substituído quando o servidor voltou a arrancar. O mais recente está no registo do servidor.
Já há quem administre
O link já foi usado, ou a conta de administração foi criada de outra forma.
As suas aplicações
Primeiros passos
O que convém ver antes de chegarem outras pessoas. As definições são dadas ao servidor quando arranca.
Feito
Por fazer
Está feito
Ocultar a lista
A lista dos primeiros passos está oculta neste navegador. Continua em {address}.
Nome do serviço
Chama-se {issuer}. O nome aparece nas páginas, nos e-mails e nas aplicações de autenticação.
Quem se pode registar
Todas as pessoas que chegam ao servidor.
Todas as pessoas que confirmem um endereço de e-mail.
Só pessoas com um convite.
Ninguém: as contas são criadas por si.
Esta definição altera isso:
E-mail
O servidor envia e-mails. Veja se chegam.
O servidor não envia e-mails, por isso ninguém pode definir uma nova palavra-passe sem ajuda. Estas definições ativam o envio:
Enviar um e-mail de teste
O e-mail para {email} espera pelo envio.
O e-mail para {email} foi enviado. Veja a caixa de correio.
Não foi possível enviar o e-mail para {email}.
Segundo fator
A sua conta tem um segundo fator.
Assim, quem descobrir a palavra-passe ainda não entra na sua conta.
Ativá-lo na sua conta
Cópia de segurança
Este comando copia as contas e as chaves com o servidor a funcionar. Execute-o todos os dias.
Este comando copia as contas com o servidor a funcionar. Copie também o ficheiro da chave.
Não é possível chegar ao servidor. O que escreveu continua aqui.
Não é possível ler a resposta do servidor.
Preencha este campo.
Isto não é um endereço de e-mail.
O servidor não percebeu isto.
Este nome de utilizador não pode ser usado.
Esta palavra-passe não pode ser usada.
Este nome de utilizador já está ocupado.
O registo está fechado. Peça uma conta a quem administra.
O convite está errado, já foi usado ou expirou. Peça outro.
O link não é válido ou já não o é.
Já há quem administre.
O link deste e-mail expirou. Elimine o e-mail.
Há demasiados convites abertos. Revogue alguns primeiro.
Há demasiadas palavras-passe de aplicação. Elimine uma primeiro.
O nome de utilizador ou a palavra-passe estão errados.
Não tem sessão iniciada.
A sua sessão não é válida. Inicie sessão de novo.
A sua sessão não é válida. Inicie sessão de novo.
O prazo para isto acabou.
A sua sessão terminou. Inicie sessão de novo.
É cedo demais para renovar a sessão.
Este link serve para confirmar um endereço.
Este link serve para definir outra palavra-passe.
Este link já foi usado ou não é válido.
Este link já foi usado ou não é válido.
Esta conta já não existe.
Esta conta não está ativa. O endereço já foi confirmado? Se sim, fale com quem administra.
A sua sessão terminou. Inicie sessão de novo.
A sua sessão terminou. Inicie sessão de novo.
O navegador tem cookies de várias sessões. Apague os cookies deste site e inicie sessão de novo.
Iniciar sessão nas aplicações exige HTTPS. Fale com quem administra.
A sua conta não tem a função que isto exige.
A palavra-passe está errada.
É preciso também um código do segundo fator.
O segundo fator já está ativado.
Não há segundo fator, ou demorou demasiado a confirmá-lo. Comece de novo.
O código está errado, é demasiado antigo ou já foi usado.
É preciso também um código do segundo fator.
A sua conta tem de ter um segundo fator.
Isto exige um início de sessão recente. Inicie sessão de novo.
O servidor não aceita pedidos de páginas neste endereço.
As regras deste site não permitem isto.
A palavra-passe de aplicação está errada ou já não serve.
A palavra-passe de aplicação não é permitida aqui.
Esta sessão é só para uma aplicação. Inicie sessão de novo.
Primeiro tem de haver outra conta ativa que administre e que tenha palavra-passe.
A conta não está ativa. Ative-a primeiro.
Isto já não existe.
O servidor não oferece isto.
Demasiadas tentativas. Espere um pouco.
O servidor está ocupado. Tente de novo daqui a pouco.
Algo correu mal no servidor. O registo do servidor diz o quê.
Este servidor não envia e-mails. Peça a quem administra um link para definir outra palavra-passe.`.split(`
`);export{e as pt};