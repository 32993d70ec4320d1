## How the language writes numbers, money and time

language-name = Français
plural-one = 0 1
number-decimal = ,
number-group = {"\u202F"}
number-grouping = 3
money-with-sign = { $amount }{"\u00A0"}{ $sign }
date-long = { $weekday } { $day } { $month } { $year }
date-short = { $day } { $month } { $year }
date-month = { $month } { $year }
date-and-time = { $date } à { $time }
time-hours = 24
time-morning = du matin
time-afternoon = de l’après-midi
month-names = janvier février mars avril mai juin juillet août septembre octobre novembre décembre
month-names-short = janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.
weekday-names = lundi mardi mercredi jeudi vendredi samedi dimanche
weekday-names-short = lun. mar. mer. jeu. ven. sam. dim.

## Around every page

site-name = Boxoffice
skip-to-content = Aller au contenu
nav-label = Principal
nav-events = Événements
nav-calendar = Calendrier
nav-bookings = Mes réservations
nav-organise = Organiser
nav-admin = Administration
nav-log-in = Se connecter
nav-sign-up = Créer un compte
nav-log-out = Se déconnecter
footer-about = Des billets vendus par ceux qui font l’événement.
language = Langue
colours = Couleurs
colours-system = Comme le système
colours-light = Clair
colours-dark = Sombre
free-of-charge = Gratuit

## Forms

form-is-wrong = Il y a un problème
optional = facultatif
cancel-and-go-back = Retour
save = Enregistrer

## After a form

notice-signed-up = Bienvenue. Votre compte est créé et vous êtes connecté.
notice-logged-in = Vous êtes connecté.
notice-logged-out = Vous êtes déconnecté.
notice-account-saved = Votre compte a été enregistré.
notice-password-changed = Votre mot de passe a été changé. Vous êtes déconnecté partout ailleurs.
notice-account-deleted = Votre compte et ce qui était conservé à votre sujet ont été effacés.
notice-paid = Votre paiement est arrivé.
notice-cancelled = L’annulation est faite. Ce que vous avez payé vous sera remboursé.
notice-transferred = Le billet a été transmis. Votre propre code ne donne plus accès.
notice-rated = Merci. Votre note compte.

## When something does not work

error-code = Code
error-to-events = Voir le programme
error-to-bookings = Mes réservations
refused-not-found = Il n’y a rien ici
refused-not-found-next = L’adresse est peut-être mal saisie, ou la page a disparu. Le programme est un bon endroit pour continuer.
refused-event-not-found = Cet événement n’existe pas
refused-event-not-found-next = Il a peut-être été retiré, ou l’adresse est mal saisie. Voyez ce qu’il y a d’autre au programme.
refused-event-not-published = Cet événement n’est pas en vente
refused-event-not-published-next = Il n’est pas encore publié. Revenez plus tard, ou voyez ce qu’il y a d’autre au programme.
refused-event-cancelled = Cet événement est annulé
refused-event-cancelled-next = Les réservations ont pris fin et les paiements sont remboursés. Vous n’avez rien à faire.
refused-event-ended = Cet événement est terminé
refused-event-ended-next = On ne peut plus le réserver. Voyez ce qui vient ensuite.
refused-event-not-started = L’événement n’a pas encore commencé
refused-event-not-started-next = Vous pourrez le noter dès qu’il commencera.
refused-sold-out = Complet
refused-sold-out-next = Il ne reste pas assez de places pour votre demande, et rien n’a été débité. Essayez avec moins de places ou un autre type de billet. Les places retenues par d’autres et non payées reviennent en vente après quelques minutes.
refused-over-limit = C’est plus que ce que permet une réservation
refused-over-limit-next = Choisissez moins de billets. La limite est indiquée à côté de chaque type.
refused-sales-not-started = La vente n’a pas commencé
refused-sales-not-started-next = La page de l’événement dit quand elle commence. Rien n’a été réservé.
refused-sales-ended = La vente est terminée
refused-sales-ended-next = Ce type de billet n’est plus en vente. Voyez s’il en reste un autre.
refused-unknown-ticket-type = Ce type de billet n’existe plus
refused-unknown-ticket-type-next = L’événement a été modifié entre-temps. Choisissez de nouveau sur sa page.
refused-unknown-promo-code = Ce code est inconnu
refused-unknown-promo-code-next = Vérifiez le code, ou réservez sans lui.
refused-mixed-currencies = Deux monnaies dans une réservation
refused-mixed-currencies-next = Réservez d’abord les billets dans une monnaie, puis les autres.
refused-expired = Le délai de paiement est écoulé
refused-expired-next = Les places sont de nouveau en vente et rien n’a été débité. Vous pouvez réserver encore s’il reste des places.
refused-not-payable = Cette réservation ne peut pas être payée maintenant
refused-not-payable-next = Elle est peut-être déjà payée, ou terminée. Sa page indique son état.
refused-payment-declined = Le paiement a été refusé
refused-payment-declined-next = Rien n’a été débité et vos places restent retenues. Payez avec une autre carte avant la fin du délai.
refused-payment-failed = Le paiement a échoué
refused-payment-failed-next = Rien n’a été débité. Vous pouvez réserver de nouveau.
refused-payment-in-progress = Un paiement est en cours
refused-payment-in-progress-next = Attendez un instant, puis regardez de nouveau la réservation. Vous ne serez pas débité deux fois.
refused-already-cancelled = C’est déjà annulé
refused-already-cancelled-next = Vous n’avez rien à faire. La page de la réservation indique son état.
refused-not-cancellable = On ne peut plus annuler
refused-not-cancellable-next = Un billet utilisé, ou un événement commencé, ne se rend pas. Demandez à l’organisateur.
refused-not-transferable = Ce billet ne peut pas être transmis
refused-not-transferable-next = Il a déjà été utilisé ou annulé.
refused-unknown-recipient = Personne ici n’a cette adresse
refused-unknown-recipient-next = Demandez d’abord à la personne de créer un compte, puis transmettez le billet à l’adresse de ce compte.
refused-not-a-ticket-holder = Seuls les détenteurs d’un billet peuvent noter
refused-not-a-ticket-holder-next = Connectez-vous avec le compte qui détient le billet.
refused-buyer = Vous avez annulé cette réservation
refused-buyer-next = Ce que vous avez payé vous sera remboursé. Vous pouvez réserver de nouveau.
refused-forbidden = Cette page ne vous est pas destinée
refused-forbidden-next = Elle appartient à quelqu’un d’autre. Vous êtes peut-être connecté avec un autre compte.
refused-forged-form = Ce formulaire ne vient pas d’ici, ou il est trop ancien
refused-forged-form-next = Rien n’a été modifié. Revenez en arrière, rechargez la page et envoyez-le de nouveau. Votre navigateur doit accepter les cookies de ce site.
refused-bad-input = La demande est illisible
refused-bad-input-next = Revenez en arrière et vérifiez votre saisie.
refused-body-too-large = C’est trop long
refused-body-too-large-next = Revenez en arrière et raccourcissez votre saisie.
refused-method = Ce n’est pas possible ici
refused-method-next = Revenez en arrière et utilisez les boutons de la page.
refused-changed = Cela a changé entre-temps
refused-changed-next = Revenez en arrière, rechargez la page et vérifiez avant d’envoyer.
refused-too-many = Trop d’essais
refused-too-many-next = Attendez une minute et réessayez.
refused-unavailable = Indisponible pour le moment
refused-unavailable-next = Il y a beaucoup de monde, ou une partie du site redémarre. Attendez un instant et réessayez ; rien n’est fait deux fois.
refused-internal = Quelque chose s’est mal passé ici
refused-internal-next = Ce n’est pas votre faute. Réessayez ; rien n’est fait deux fois.

## Accounts

sign-up-title = Créer un compte
sign-up-why = Avec un compte, vous réservez des billets et organisez vos propres événements.
sign-up-have-one = Vous avez déjà un compte ?
sign-up-action = Créer le compte
log-in-title = Se connecter
log-in-first = Connectez-vous pour continuer. Vous reviendrez ensuite où vous étiez.
log-in-none = Vous n’avez pas encore de compte ?
log-in-wrong = L’adresse et le mot de passe ne vont pas ensemble
account-title = Votre compte
name = Nom
name-hint = Tel qu’il doit figurer sur vos billets
name-mend = Saisissez votre nom, 200 caractères au plus
email = Adresse e-mail
email-mend = Saisissez une adresse e-mail, par exemple nom@example.org
email-taken = Cette adresse a déjà un compte. Connectez-vous, ou prenez une autre adresse
email-fixed = L’adresse ne peut pas être changée. Les billets y sont envoyés.
password = Mot de passe
password-hint = Au moins 8 caractères
password-mend = Saisissez un mot de passe de 8 à 256 caractères
password-current = Mot de passe actuel
password-current-mend = Ce n’est pas votre mot de passe actuel
password-new = Nouveau mot de passe
password-title = Changer le mot de passe
password-action = Changer le mot de passe
gender = Genre
gender-none = Sans réponse
gender-male = Homme
gender-female = Femme
gender-other = Autre
birth-year = Année de naissance
birth-year-mend = Saisissez une année à quatre chiffres, ou rien
about-you-hint = Les organisateurs n’en voient que les totaux sur tous les visiteurs.
export-title = Ce qui est conservé à votre sujet
export-text = Tout, de chaque partie de ce site, en un seul fichier.
export-action = Télécharger
delete-title = Effacer le compte
delete-text = Votre nom et votre adresse sont effacés partout. Vos billets ne pourront plus être affichés. C’est définitif.
delete-confirm = Je veux effacer mon compte
delete-confirm-mend = Cochez la case si vous en êtes sûr
delete-action = Effacer le compte

## What is on

events-title = À l’affiche
events-description = Concerts, conférences, courses et dîners : voyez ce qui est à l’affiche et réservez votre place.
events-by-month = Voir par mois
events-none-found = Rien n’a été trouvé
events-none-found-next = Essayez avec moins de mots, une autre ville ou plus de jours.
events-all = Tout voir
events-none = Rien n’est encore à l’affiche
events-none-next = Soyez le premier : créez un événement, il apparaît ici dès que vous le publiez.
pages-label = Pages
pages-next = Page suivante
search-words = Recherche
search-words-mend = Saisissez 200 caractères au plus
search-category = Catégorie
search-city = Ville
search-from = Du
search-to = Au
search-date-mend = Saisissez un jour, par exemple 2026-12-31
search-any = Toutes
search-action = Rechercher
search-chosen = Filtré par
search-take-away = retirer
calendar-to-list = Voir en liste
calendar-months = Mois
calendar-none = Rien ce mois-ci.
calendar-more = { $count ->
    [one] { $count } autre
   *[other] { $count } autres
}
price-from = dès { $price }
price-free-to = de gratuit à { $price }
sale-sold-out = Complet
sale-closed = Pas en vente
sale-draft = Brouillon
sale-cancelled = Annulé
sale-ended = Terminé

## The page of an event

event-when-day = { $date }, de { $start } à { $end }
event-when-days = du { $start } au { $end }
event-online = En ligne
event-back = À l’affiche
event-about = À propos de l’événement
event-facts = Quand et où
event-when = Quand
event-zone = Heure de { $zone }
event-where = Où
event-categories = Catégories
event-website = Site web
event-to-calendar = Ajouter à l’agenda
ratings-title = Avis
ratings-average = { $count ->
    [one] { $average } sur 5, d’après { $count } avis
   *[other] { $average } sur 5, d’après { $count } avis
}
ratings-of-five = { $stars ->
    [one] { $stars } étoile
   *[other] { $stars } étoiles
}
tickets-title = Billets
tickets-left = { $count ->
    [one] { $count } restant
   *[other] { $count } restants
}
live-left-one = { $number } restant
live-left-other = { $number } restants
tickets-most = { $count ->
    [one] au plus { $count } par réservation
   *[other] au plus { $count } par réservation
}
tickets-from = En vente dès le { $moment }
tickets-go-on = Continuer
tickets-go-on-hint = Vous voyez le total avant toute réservation.
tickets-sold-out-hint = Les places retenues par d’autres et non payées reviennent après quelques minutes. Cette page le montre aussitôt.
widget-tickets = Billets
widget-more = En savoir plus

## From a choice to a booking

book-title = Votre choix
book-back = Le modifier
book-nothing-chosen = Vous n’avez pas encore choisi de billets
book-choose = Choisir des billets
book-line = { $number } × { $kind }
price-column = Prix
total = Total
promo-code = Code promotionnel
book-free-hint = C’est gratuit. Vos billets sont là aussitôt.
book-free-action = Réserver gratuitement
book-hold-hint = Vos places sont retenues pendant que vous payez. Rien n’est débité avant.
book-action = Retenir les places et payer

## Bookings

bookings-none = Pas encore de réservations
bookings-none-next = Ce que vous réservez est ici, avec les billets.
booking-made = Réservé le { $moment }
booking-event-gone = Un événement qui n’est plus affiché
booking-pending = En cours de décision
booking-pending-next = Nous cherchons vos places. Cette page redemande d’elle-même ; vous pouvez aussi revenir plus tard.
booking-held = À payer
booking-held-title = Payez vos places
booking-booked = Réservé
booking-booked-title = Vous y serez
booking-rejected = Refusé
booking-cancelled = Annulé
booking-expired = Délai écoulé
booking-again = Réserver de nouveau
booking-money = Paiement
booking-number = Numéro de réservation
booking-tickets-hint = Montrez le code à l’entrée, sur votre téléphone ou sur papier. Il est aussi dans votre courriel.
refund-due = En cours de remboursement
refund-done = Remboursé
hold-until = Vos places sont retenues jusqu’à { $time }.
hold-left = Vos places sont retenues encore { $time }.
card = Numéro de carte
card-hint = Ce site n’accepte que des cartes de test : aucun argent réel ne circule.
card-mend = Saisissez le numéro d’une des cartes de test ci-dessous
card-what = Ce qu’elle fait
card-pays = Paie
card-declined = Est refusée
card-silent = Ne répond pas, et rien n’est payé
card-late = Ne répond pas d’abord ; le paiement est retrouvé après un moment
cards-title = Les cartes de test
pay-action = Payer { $amount }
cancel-whole = Rendre les places
cancel-some = Annuler des billets
cancel-title = Annuler
cancel-refund = Ce que vous avez payé pour eux vous est remboursé.
cancel-which = Quels billets ?
cancel-mend = Choisissez au moins un billet
cancel-action = Les annuler
cancel-keep = Tout laisser en l’état

## Tickets

ticket-title = Billet
ticket-kind = Type
ticket-show = Afficher
ticket-pdf = Imprimer (PDF)
ticket-cancelled = Annulé
ticket-admitted = Utilisé
ticket-qr = Le code du billet, pour l’entrée
ticket-code = Le code en texte
ticket-to-booking = Retour à la réservation
transfer-title = Le transmettre
transfer-text = Le billet passe sur le compte de quelqu’un d’autre, avec un nouveau code. Le code ci-dessus ne donne alors plus accès.
transfer-email = Adresse e-mail de l’autre compte
transfer-action = Transmettre

## Ratings by who was there

rate-title = Comment était-ce ?
rate-how = Votre note
rate-comment = Que diriez-vous aux autres ?
rate-action = Noter

## Organising

organise-new = Nouvel événement
organise-none = Vous n’avez pas encore d’événement
organise-draft = Brouillon
organise-on-sale = En vente
organise-over = Terminé
organise-called-off = Annulé
organise-left = { $left ->
    [one] { $left } place restante
   *[other] { $left } places restantes
}
organise-publish = Mettre en vente
organise-edit = Modifier
organise-preview = Voir comme un visiteur
organise-clone = Faire une copie
organise-cancel = Annuler l’événement
organise-cancel-hint = Chaque réservation est annulée et remboursée. C’est définitif.
organise-cancel-sure = Oui, annuler
organise-import = Importer un fichier
organise-import-file = Contenu du fichier CSV
organise-import-hint = La première ligne nomme les colonnes : name, start_date et, au besoin, end_date, city, country, venue, places, price, currency, description, categories. Chaque bonne ligne devient un brouillon.
import-result = { $created ->
    [one] { $created } nouveau brouillon
   *[other] { $created } nouveaux brouillons
}, { $known ->
    [one] { $known } déjà connu
   *[other] { $known } déjà connus
}, { $bad ->
    [one] { $bad } erreur
   *[other] { $bad } erreurs
}
import-unknown = Colonnes ignorées :
import-bad = Ce qui ne va pas
import-mend = Corrigez ces lignes et renvoyez le fichier entier : rien n’est créé deux fois.
import-line = Ligne
import-column = Colonne
import-reason = Raison
import-created = Nouveaux brouillons
edit-title = Titre
edit-description = Description
edit-description-hint = Markdown : une ligne vide commence un paragraphe, *les étoiles* soulignent un mot.
edit-starts = Début
edit-ends = Fin
edit-time-mend = Indiquez un jour et une heure, et un fuseau connu
edit-zone = Fuseau horaire
edit-zone-hint = Par exemple Europe/Paris
edit-online = Il a lieu en ligne
edit-venue = Lieu
edit-address = Adresse
edit-city = Ville
edit-country = Pays
edit-categories = Catégories
edit-categories-hint = Séparées par des virgules
edit-image = Adresse d’une image
edit-type = Billets
edit-types = Types de billets
edit-type-name = Nom du type de billet
edit-type-add = Ajouter un type de billet
edit-type-delete = Retirer
edit-type-booked-hint = Qui a déjà réservé garde le prix d’alors.
edit-type-delete-hint = Il peut être retiré tant que personne ne l’a réservé.
edit-price = Prix
edit-price-hint = Laisser vide si c’est gratuit
edit-price-mend = Indiquez un montant comme 20,50
edit-currency = Devise
edit-quantity = Places
edit-quantity-mend = Indiquez un nombre entier
edit-draft-hint = C’est un brouillon jusqu’à la mise en vente. Personne d’autre ne le voit.
edit-preview = Aperçu
attendees = Participants
attendees-file = Télécharger en CSV
attendees-none = Personne n’a encore de billet
ticket-type = Type de billet

## Charts

chart-nothing = Rien à montrer pour l’instant
chart-not-yet = Les chiffres de cet événement ne sont pas encore là. Revenez dans un instant.
chart-table = Les chiffres en tableau
chart-sales = Ventes dans le temps
chart-visits-over-time = Visites dans le temps
chart-funnel = De la visite au billet
chart-ages = Participants par âge
chart-genders = Participants par genre
chart-top = Vos événements comparés
chart-when = Période
chart-step = Étape
chart-group = Groupe
chart-event = Événement
chart-count = Nombre
chart-booked = Réservés
chart-cancelled = Rendus
chart-kept = Gardés
chart-visits = Visites
chart-sold = Vendus
chart-held = Retenus
chart-conversion = Réservations par visite
chart-revenue = Recettes
chart-period = Période
chart-daily = Jours
chart-weekly = Semaines
chart-monthly = Mois
chart-ratings = { $count ->
    [one] { $count } avis
   *[other] { $count } avis
}
group-female = Femmes
group-male = Hommes
group-other = Autre
group-unknown = Non précisé

## The door

door-title = Entrée
door-choose = Choisissez l’événement dont vous tenez l’entrée.
door-inside = à l’intérieur
door-ready = Prêt pour le prochain billet
door-code = Code du billet
door-check = Vérifier
door-scan = Scanner avec la caméra
door-camera = Image de la caméra
door-admitted = Admis
door-already = Déjà entré
door-wrong-event = Autre événement
door-cancelled = Annulé
door-unpaid = Non payé
door-transferred = Cédé : ancien code
door-forged = Pas un billet de chez nous
door-waiting = Pas encore confirmé
door-lost = Pas de réseau : nouvelle tentative automatique
door-waiting-title = Pas encore confirmés

## The first steps

welcome-title = De rien au billet vendu
welcome-lead = Cinq étapes, quelques minutes. Rien ne coûte : les paiements sont simulés.
welcome-account = Ouvrir un compte
welcome-account-how = Un nom, une adresse et un mot de passe. Tout le monde peut organiser.
welcome-event = Créer un événement
welcome-event-how = Quand, où et combien de places. Il reste un brouillon.
welcome-publish = Le mettre en vente
welcome-publish-how = Dès lors, tout le monde le voit.
welcome-book = Réserver une place
welcome-book-how = Comme un visiteur. Le billet arrive aussitôt, et par courriel.
welcome-door = Ouvrir l’entrée
welcome-door-how = Présentez le code du billet et voyez-vous admis.
welcome-done = fait

## For administrators

admin-users = Comptes
admin-find = Chercher
admin-nobody = Personne n’a cette adresse
admin-role = Rôle
admin-since = Depuis
admin-events = Tous les événements
mailbox-title = Courrier
mailbox-lead = Le courrier reste ici, car aucun serveur n’est réglé. Les cent plus récents.
mailbox-sends = Le courrier est envoyé : il n’y a rien à lire ici.
mailbox-none = Pas encore de courrier
system-title = Système
system-lead = L’état de chaque service : ce qu’il doit traiter, et ce qu’il n’a pas pu.
system-silent = ne répond pas
system-well = à jour
system-behind = { $count ->
    [one] { $count } fait en retard
   *[other] { $count } faits en retard
}
system-parked = { $count ->
    [one] { $count } fait mis de côté
   *[other] { $count } faits mis de côté
}
system-topic = Sujet
system-behind-head = Retard
system-oldest = Le plus ancien
system-redrive = Réessayer
system-figures = Chiffres du processus

## After a form of who organises

notice-saved = C’est enregistré.
notice-published = L’événement est en vente.
notice-called-off = L’événement est annulé. Chaque réservation est remboursée.
notice-cloned = Voici la copie : un brouillon à part.
notice-redriven = Nouvel essai fait. Ce qui reste affiché n’a pas pu être traité.
