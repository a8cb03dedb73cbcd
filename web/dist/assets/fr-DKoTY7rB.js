var e=`Principale
Aller au contenu
Compte
Administration
Se déconnecter
Se connecter
Créer un compte
Langue
La langue n’a pas pu être changée maintenant. Elle s’appliquera dès votre prochaine visite.
Mentions légales
Confidentialité
Bonjour, {name}
Votre session sur {issuer} est ouverte.
Bienvenue sur {issuer}
Vous n’avez pas de compte\xA0? L’administrateur de {issuer} peut vous en donner un.
Il faut une invitation pour créer un compte.
Mot de passe, second facteur et sessions ouvertes.
Utilisateurs, invitations et activité.
Se connecter
Nom d’utilisateur ou adresse e-mail
Se connecter
Connectez-vous pour voir cette page.
Votre session a pris fin. Connectez-vous pour continuer.
Mot de passe oublié\xA0?
Mot de passe oublié\xA0? Demandez à l’administrateur un lien pour en définir un nouveau.
Première visite\xA0?
Créer un compte
Garder la session ouverte
À décocher sur un appareil que d’autres personnes utilisent.
{host} vous demande de vous connecter.
Continuer vers {host}
Votre session est ouverte sous le nom {name}.
Continuer
Vous revenez de {host}\xA0: soit {name} n’a pas le droit de l’ouvrir, soit le cookie de cette session n’y parvient pas. Adressez-vous à l’administrateur.
Utiliser un autre compte
{name} n’a pas accès à cette page de {host}
Les règles de ce site ne le permettent pas. Utilisez un autre compte ou adressez-vous à l’administrateur.
Mon compte
Votre navigateur ne conserve pas la session
Votre session est ouverte ici, mais sans cookie {host} ne peut pas le savoir. Autorisez les cookies pour ce site, puis réessayez. S’ils sont déjà autorisés, prévenez l’administrateur\xA0: cette page se trouve peut-être dans un autre domaine que celui qu’attend le serveur.
Adresse inconnue
L’adresse d’où vous venez n’appartient pas à ce site, le retour n’y est donc pas possible.
Le serveur ne répond pas\xA0: votre session est peut-être encore ouverte dans les applications. Laissez cette page ouverte ou réessayez.
Vous avez fermé votre session.
La session de {name} est encore ouverte dans les applications.
Se reconnecter
Cela demande une connexion récente. Reconnectez-vous pour continuer.
Le mot de passe ou le code est incorrect.
Second facteur
Saisissez les six chiffres affichés par votre application d’authentification.
Code
Saisissez l’un de vos codes de récupération. Chacun sert une fois.
Code de récupération
Utiliser un code de récupération
Utiliser l’application d’authentification
Le code est incorrect, trop ancien ou déjà utilisé.
De votre application d’authentification, ou un code de récupération.
Nom d’utilisateur
Mot de passe
Nouveau mot de passe
Mot de passe actuel
Adresse e-mail
Code d’invitation
Au moins {n} caractères. Quelques mots sans rapport entre eux sont un bon choix, facile à retenir.
Afficher le mot de passe
facultatif
Un instant …
Réessayez dans {n} seconde
Réessayez dans {n} secondes
Réessayez dans {n} minute
Réessayez dans {n} minutes
Vous pouvez réessayer.
Annuler
Enregistrer
Fermer
Créer un compte
Créer le compte
Vous avez déjà un compte\xA0?
Nous vous enverrons un lien pour confirmer l’adresse.
Dans le lien ou le message que vous avez reçu.
Votre session est déjà ouverte, l’invitation n’a donc pas été utilisée. Déconnectez-vous pour l’utiliser.
Les inscriptions sont fermées
Les nouveaux comptes sur {issuer} sont créés par l’administrateur. Demandez-lui-en un.
Consultez vos e-mails
Nous avons envoyé un lien à {email}. Ouvrez-le pour terminer votre inscription.
Si {email} appartient à un compte, un lien pour définir un nouveau mot de passe est en route.
Si vous avez demandé un e-mail, il est en route.
Rien après quelques minutes\xA0? Regardez dans les spams ou réessayez.
Retour à la connexion
Renvoyer
Mauvaise adresse\xA0?
Envoyer à cette adresse
Renvoyé. Utilisez le lien de l’e-mail le plus récent.
Si {email} appartient à un compte, un autre lien est en route. Utilisez le plus récent.
Ce nom appartient maintenant à un compte. Si vous avez déjà ouvert le lien, connectez-vous.
L’e-mail de votre inscription est perdu\xA0?
Inscrivez-vous à nouveau avec le même nom et le même mot de passe
Confirmez votre adresse
Si vous n’avez rien demandé, fermez la page\xA0: rien n’a changé.
Confirmer l’adresse
Bienvenue, {name}
Votre adresse est confirmée, votre compte est prêt et votre session est ouverte.
Adresse confirmée
{email} est maintenant l’adresse de {name}.
Ce lien ne fonctionne pas
Il a déjà été utilisé, a expiré ou est incomplet. Si votre compte fonctionne, tout va bien.
Aller à la page d’accueil
Confirmez que {email} est votre adresse. Elle sera alors celle du compte {name} sur {issuer}.
Mot de passe oublié\xA0?
Saisissez l’adresse e-mail de votre compte. Nous vous enverrons un lien pour définir un nouveau mot de passe.
Envoyer le lien
Ce serveur n’envoie pas d’e-mails. Demandez à l’administrateur un lien pour définir un nouveau mot de passe.
Définir un nouveau mot de passe
Définir le mot de passe
Votre mot de passe est défini
Votre session est ouverte sous le nom {name}. Toutes les autres sessions et tous les mots de passe d’application ont pris fin.
Il a déjà été utilisé, a expiré ou est incomplet. Chaque lien sert une fois.
Demander un autre lien
Retour
Votre session est ouverte sous le nom {name}. Ce lien la remplace par une session de {user}.
Message protégé
Le serveur ne dit ceci qu’aux personnes connectées\xA0:
Compte
Membre depuis le {day}
Rôles
Aucune adresse
Profil
Changer d’adresse e-mail
Nouvelle adresse e-mail
Envoyer la confirmation
Nous avons envoyé un lien à {email}. La nouvelle adresse compte dès que vous l’aurez confirmée.
Mot de passe
En changer ferme toutes vos autres sessions.
Changer de mot de passe
Votre mot de passe est changé. Toutes les autres sessions sont fermées.
Conserver mes mots de passe d’application
Sinon, ils prennent fin eux aussi.
Second facteur
Désactivé. Avec un code d’une application d’authentification, un mot de passe volé ne suffit pas.
Activé. La connexion demande un code de votre application d’authentification.
Activer
Désactiver
Nouveaux codes de récupération
Continuer
Saisissez votre mot de passe pour commencer.
Scannez ce code avec votre application d’authentification, ou saisissez la clé.
QR code pour une application d’authentification
Clé
Saisissez ensuite les six chiffres affichés par l’application.
Il est obligatoire pour votre compte et ne peut donc pas être désactivé.
Le second facteur est désactivé.
Sur ce téléphone\xA0: ouvrir dans l’application d’authentification
Il reste {n} code de récupération.
Il reste {n} codes de récupération.
Vos codes de récupération
Gardez-les là où vous les trouverez sans votre téléphone. Chacun permet de se connecter une fois. Ils ne sont affichés que maintenant.
Copier
Enregistrer dans un fichier
Je les ai enregistrés
Configurez le second facteur
{issuer} exige un second facteur pour votre compte\xA0: un code d’une application d’authentification sur votre téléphone. Tout le reste s’ouvre une fois qu’il est configuré.
Sessions ouvertes
Cette session
Ouverte aussi dans les applications
Appareil inconnu
depuis le {when}
dernière utilisation {when}
Fermer
Fermer la session de {device}, {address}
La session choisie est fermée.
Fermer toutes les sessions
Toutes vos sessions sont fermées, celle-ci comprise.
Mots de passe d’application
Pour les programmes qui ne peuvent pas afficher de page de connexion, comme les agendas, git et les lecteurs de flux. Fermer toutes les sessions ne les supprime pas.
Ajouter un mot de passe d’application
Nom
Le programme ou l’appareil qui l’utilisera.
un an
jusqu’à sa suppression
Pour ces hôtes seulement
Par exemple cal.example.org ou *.example.org, séparés par des virgules.
Il peut aussi lire l’API de {issuer}
Créer le mot de passe d’application
Nouveau mot de passe d’application
Utilisez-le avec le nom d’utilisateur {name}. Il n’est affiché que maintenant.
jamais utilisé
Supprimer
Supprimer le mot de passe d’application {name}
Le mot de passe d’application est supprimé.
Supprimer le compte
Votre compte et toutes ses sessions disparaissent aussitôt. C’est irréversible.
Supprimer mon compte
Votre compte est supprimé.
Administration
Administration
Utilisateurs
Invitations
Audit
E-mails
Réservé aux administrateurs
Votre compte n’a pas le rôle admin.
Chercher par nom ou adresse e-mail
Personne n’a été trouvé.
Désactivé
Second facteur
Ajouter un utilisateur
En ajouter un autre
Rôle
Pas encore confirmé
Ordre
Comptes les plus anciens d’abord
Comptes les plus récents d’abord
Par nom
Par nom, en ordre inverse
Dernière connexion d’abord
Connexion la plus ancienne d’abord
{n} utilisateur
{n} utilisateurs
Au moins {n} utilisateurs
{email} n’est pas encore confirmée
dernière connexion {when}
Tous
Effacer les filtres
Afficher plus ({n})
Page suivante
Page précédente
Première page
Pages
Tous les utilisateurs
Numéro
Depuis
État
Actif
Activé
Désactivé
Activer
Désactiver
Le compte de {name} est actif.
Le compte de {name} est désactivé et toutes ses sessions sont fermées.
Séparés par des virgules. Les administrateurs ont le rôle admin.
Les rôles sont enregistrés et prennent effet immédiatement.
Nouveau mot de passe
Créez un lien avec lequel {name} définira un nouveau mot de passe. Transmettez-le par un moyen sûr.
Créer un lien
Sert une fois, jusqu’au {when}. Il n’est affiché que maintenant.
Lien
Sessions
{n} session
{n} sessions
Aucune session ouverte.
Fermer toutes les sessions
Toutes les sessions de {name} sont fermées.
Activité
Supprimer le compte
Le compte de {name} et toutes ses sessions disparaissent aussitôt. C’est irréversible.
Supprimer {name}
Le compte de {name} est supprimé.
Pas encore confirmé
Dernière connexion
Jamais
{name} n’a pas encore ouvert le lien de l’e-mail. Vous pouvez activer le compte sans cela.
Désactiver votre propre compte
Votre session est aussitôt fermée, et seul un autre administrateur peut réactiver votre compte.
Renoncer à l’administration
Sans le rôle admin, vous ne pouvez plus ouvrir ces pages. Seul un autre administrateur peut vous le rendre.
{n} tentative infructueuse depuis la dernière connexion réussie.
{n} tentatives infructueuses depuis la dernière connexion réussie.
Les nouveaux appareils sont refusés.
Débloquer
Les tentatives infructueuses de {name} sont oubliées.
La nouvelle adresse prend effet immédiatement, sans confirmation. {name} en est averti à l’ancienne.
L’adresse est maintenant {email}.
Le compte n’a plus d’adresse.
Si {name} a perdu son téléphone et ses codes de récupération, retirez le second facteur\xA0: le mot de passe suffira alors.
Réinitialiser le second facteur
Confirmez-vous que la demande vient de {name}\xA0? Tant qu’un nouveau second facteur n’est pas configuré, le mot de passe suffit.
{name} n’a plus de second facteur.
Envoyer par e-mail
Un lien est en route vers {email}.
Créer un autre lien
Le lien a été utilisé ou ne fonctionne plus.
Fermer
Fermer la session de {device}, {address}
Le compte est prêt aussitôt. La personne définit son mot de passe avec un lien, affiché à l’étape suivante.
Le compte {name} est créé.
Ouvrir {name}
Copier
Copié.
Inviter quelqu’un
Une invitation permet à une personne de créer un compte.
Pour l’instant, l’inscription ne se fait pas sur invitation (--registration)\xA0: personne n’en a besoin.
Valable pendant
un jour
une semaine
un mois
Créer une invitation
Sert une fois, jusqu’au {when}. Elle n’est affichée que maintenant.
Code
Lien
Invitations en attente
Il n’y en a aucune.
jusqu’au {when}
aucun rôle
Révoquer
Révoquer l’invitation {id}
L’invitation est révoquée.
L’invitation y est aussi envoyée.
Message
Figure dans l’e-mail. Au plus {n} caractères.
L’invitation a été utilisée ou a expiré.
L’invitation est en route vers {email}.
Aucune activité.
Rien jusqu’ici\xA0; la page suivante en contient peut-être.
Le nom d’utilisateur et l’adresse IP doivent être complets, accents compris.
Seulement ce qui concerne
utilisateur {n}
un nom que personne ne porte
en ligne de commande
Événement
Adresse IP
Du
Au
Seulement les échecs de connexion
Enregistrer en CSV
Enregistrer en JSON Lines
Arrêter
{n} entrée pour l’instant …
{n} entrées pour l’instant …
{n} entrée enregistrée.
{n} entrées enregistrées.
mots de passe d’application conservés
non comparé\xA0: trop de tentatives ont échoué
second facteur
second facteur, pour réinitialiser le mot de passe
second facteur, session ouverte
session ouverte
invitation {id}
sans avis par e-mail\xA0: trop nombreux
par {name}
depuis {address}
Les e-mails en attente d’envoi et ceux qui ont été abandonnés.
Ce serveur n’envoie pas d’e-mails (--mail).
Aucun e-mail en attente.
Actualiser
En attente
Abandonné
{n} tentative
{n} tentatives
prochaine tentative {when}
Réessayer
Réessayer\xA0: {kind}, {email}
«\xA0{kind}\xA0» à {email}\xA0: nouvelle tentative dans quelques secondes.
Supprimer
Supprimer\xA0: {kind}, {email}
«\xA0{kind}\xA0» à {email} est supprimé.
Confirmation du compte
Confirmation de la nouvelle adresse
Lien pour un nouveau mot de passe
Invitation
E-mail de test
Avis\xA0: adresse modifiée
Avis\xA0: mot de passe modifié
Avis\xA0: second facteur activé
Avis\xA0: second facteur désactivé
Avis\xA0: code de récupération utilisé
Avis\xA0: nouveaux codes de récupération
Avis\xA0: compte supprimé
Avis\xA0: connexion depuis un nouvel appareil
Avis\xA0: trop de tentatives infructueuses
Avis\xA0: le compte a un autre nom
Inscription
Compte créé
Connexion
Échec de connexion
Connexion refusée
Ancien jeton rejoué
Jeton repris
Navigateur connecté aux applications avec un jeton
Connexion depuis un nouvel appareil
Trop de tentatives infructueuses\xA0; les nouveaux appareils sont refusés
Déconnexion
Toutes les sessions fermées
Session fermée
Mot de passe modifié
Mot de passe défini par lien
Mot de passe d’application créé
Mot de passe d’application supprimé
Lien pour un nouveau mot de passe demandé
Nouvelle adresse à confirmer
Adresse confirmée
Adresse modifiée
Échec d’un e-mail
E-mail de test envoyé
E-mail réessayé
E-mail supprimé
Second facteur demandé
Configuration du second facteur commencée
Second facteur activé
Second facteur désactivé
Second facteur réinitialisé
Code de récupération utilisé
Nouveaux codes de récupération
Rôles modifiés
Compte activé
Compte désactivé
Tentatives infructueuses oubliées
Lien pour un nouveau mot de passe créé
Lien pour un nouveau mot de passe envoyé
Invitation créée
Invitation révoquée
Compte supprimé
Clé renouvelée
Clé retirée
Empreinte du mot de passe renouvelée
Comptes importés
Base de données restaurée depuis une sauvegarde
Page introuvable
Il n’y a rien à cette adresse.
Chargement …
Réessayer
Cette page n’a pas pu être chargée
Pas de connexion au serveur. Nouvel essai …
Au plus 64 caractères.
Lettres, chiffres et ponctuation, mais pas d’espaces.
Une adresse e-mail ne peut pas servir de nom d’utilisateur. Choisissez un nom sans @.
Il est trop long.
Il contient un caractère qui ne peut pas être saisi partout.
Au moins {n} caractères.
C’est à peine plus que le nom d’utilisateur.
C’est à peine plus que l’adresse e-mail.
C’est à peine plus que le nom de ce programme.
C’est à peine plus que le nom de ce service.
C’est l’un des mots de passe les plus courants, qui sont essayés en premier.
Encore trop court.
Facile à deviner. Mieux\xA0: quelques mots sans rapport entre eux.
Pourrait être plus difficile à deviner\xA0: ajoutez un mot.
Difficile à deviner.
Cette adresse appartient à un autre compte.
Au plus 16 rôles.
Un rôle a de 1 à 64 lettres, chiffres ou _ .\xA0: -
Au plus 64 caractères, et aucun invisible.
Ce n’est pas un hôte. Écrivez-le comme cal.example.org ou *.example.org.
Au plus {n} hôtes.
Créer le compte administrateur
Choisissez le nom et le mot de passe du premier compte administrateur. Votre session s’ouvre ensuite.
Votre session est ouverte sous le nom {name}. Ceci crée un autre compte.
Créer le compte administrateur
Il n’y a pas encore d’administrateur. Au démarrage, le serveur affiche un lien qui en crée un\xA0: sur son terminal ou dans son journal.
Ou exécutez cette commande là où tourne le serveur, avec le --database du serveur s’il en a un\xA0:
Pour un compte qui existe déjà\xA0:
Il est incomplet, a déjà servi ou a été remplacé au redémarrage du serveur. Le plus récent figure dans son journal.
Il y a un administrateur
Le lien a été utilisé, ou un administrateur a été désigné autrement.
Vos applications
Premiers pas
Ce qu’il faut regarder avant que d’autres n’arrivent. Les réglages sont donnés au serveur à son démarrage.
Fait
À faire
C’est fait
Masquer la liste
La liste des premiers pas est masquée dans ce navigateur. Elle reste à l’adresse {address}.
Nom du service
Il s’appelle {issuer}. Ce nom figure sur les pages, dans les e-mails et dans les applications d’authentification.
Qui peut s’inscrire
Toute personne qui peut joindre le serveur.
Toute personne qui confirme une adresse e-mail.
Seulement les personnes qui ont une invitation.
Personne\xA0: c’est vous qui ajoutez les comptes.
Ce réglage le change\xA0:
E-mail
Le serveur envoie des e-mails. Vérifiez qu’ils arrivent.
Le serveur n’envoie pas d’e-mails\xA0: personne ne peut donc définir seul un nouveau mot de passe. Ces réglages activent l’envoi\xA0:
Envoyer un e-mail de test
L’e-mail à {email} attend d’être envoyé.
L’e-mail à {email} est envoyé. Regardez dans la boîte de réception.
L’e-mail à {email} n’a pas pu être envoyé.
Second facteur
Votre compte a un second facteur.
Ainsi, connaître le mot de passe ne suffit pas pour entrer dans votre compte.
Le configurer dans votre compte
Sauvegarde
Cette commande copie les comptes et les clés pendant que le serveur tourne. Exécutez-la chaque jour.
Cette commande copie les comptes pendant que le serveur tourne. Copiez aussi le fichier de la clé.
Le serveur est injoignable. Ce que vous avez saisi est toujours là.
La réponse du serveur est illisible.
Remplissez ce champ.
Ce n’est pas une adresse e-mail.
Le serveur n’a pas compris.
Ce nom d’utilisateur ne convient pas.
Ce mot de passe ne convient pas.
Ce nom d’utilisateur est déjà pris.
Les inscriptions sont fermées. Demandez un compte à l’administrateur.
L’invitation est incorrecte, déjà utilisée ou expirée. Demandez-en une autre.
Le lien n’est pas valable, ou ne l’est plus.
Il y a déjà un administrateur.
Le lien de cet e-mail a expiré. Supprimez l’e-mail.
Il y a trop d’invitations en attente. Révoquez-en d’abord quelques-unes.
Il y a trop de mots de passe d’application. Supprimez-en d’abord un.
Le nom d’utilisateur ou le mot de passe est incorrect.
Vous n’avez pas de session ouverte.
Votre session n’est pas valable. Reconnectez-vous.
Votre session n’est pas valable. Reconnectez-vous.
Le délai pour cela est écoulé.
Votre session a pris fin. Reconnectez-vous.
Il est trop tôt pour renouveler la session.
Ce lien sert à confirmer une adresse.
Ce lien sert à définir un nouveau mot de passe.
Ce lien a déjà été utilisé ou n’est pas valable.
Ce lien a déjà été utilisé ou n’est pas valable.
Ce compte n’existe plus.
Ce compte n’est pas actif. L’adresse a-t-elle été confirmée\xA0? Si oui, adressez-vous à l’administrateur.
Votre session a pris fin. Reconnectez-vous.
Votre session a pris fin. Reconnectez-vous.
Votre navigateur a des cookies de plusieurs sessions. Supprimez les cookies de ce site, puis reconnectez-vous.
La connexion aux applications exige HTTPS. Adressez-vous à l’administrateur.
Votre compte n’a pas le rôle nécessaire.
Le mot de passe est incorrect.
Un code de votre second facteur est aussi nécessaire.
Le second facteur est déjà activé.
Il n’y a pas de second facteur, ou la confirmation a pris trop de temps. Recommencez.
Le code est incorrect, trop ancien ou déjà utilisé.
Un code de votre second facteur est aussi nécessaire.
Votre compte doit avoir un second facteur.
Cela demande une connexion récente. Reconnectez-vous.
Le serveur n’accepte pas de requêtes de pages à cette adresse.
Les règles de ce site ne le permettent pas.
Le mot de passe d’application est incorrect ou n’est plus valable.
Le mot de passe d’application n’est pas autorisé ici.
Cette connexion ne vaut que pour une application. Connectez-vous à nouveau.
Il faut d’abord un autre administrateur actif, qui a choisi un mot de passe.
Le compte n’est pas actif. Activez-le d’abord.
Cela n’existe plus.
Le serveur ne propose pas cela.
Trop de tentatives. Patientez un peu.
Le serveur est occupé. Réessayez dans un instant.
Une erreur s’est produite sur le serveur. Son journal en donne la cause.
Ce serveur n’envoie pas d’e-mails. Demandez à l’administrateur un lien pour définir un nouveau mot de passe.`.split(`
`);export{e as fr};