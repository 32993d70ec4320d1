## How the language writes numbers, money and time

language-name = Deutsch
plural-one = 1
number-decimal = ,
number-group = .
number-grouping = 3
money-with-sign = { $amount }{"\u00A0"}{ $sign }
date-long = { $weekday }, { $day }. { $month } { $year }
date-short = { $day }. { $month } { $year }
date-month = { $month } { $year }
date-and-time = { $date }, { $time } Uhr
time-hours = 24
time-morning = vormittags
time-afternoon = nachmittags
month-names = Januar Februar März April Mai Juni Juli August September Oktober November Dezember
month-names-short = Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.
weekday-names = Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag
weekday-names-short = Mo Di Mi Do Fr Sa So

## Around every page

site-name = Boxoffice
skip-to-content = Zum Inhalt springen
nav-label = Hauptmenü
nav-events = Veranstaltungen
nav-calendar = Kalender
nav-bookings = Meine Buchungen
nav-organise = Veranstalten
nav-admin = Verwaltung
nav-log-in = Anmelden
nav-sign-up = Konto eröffnen
nav-log-out = Abmelden
footer-about = Karten von denen, die veranstalten.
language = Sprache
colours = Farben
colours-system = Wie das System
colours-light = Hell
colours-dark = Dunkel
free-of-charge = Kostenlos

## Forms

form-is-wrong = Da stimmt etwas noch nicht
optional = freiwillig
cancel-and-go-back = Zurück
save = Speichern

## After a form

notice-signed-up = Willkommen. Ihr Konto ist eröffnet, und Sie sind angemeldet.
notice-logged-in = Sie sind angemeldet.
notice-logged-out = Sie sind abgemeldet.
notice-account-saved = Ihr Konto wurde gespeichert.
notice-password-changed = Ihr Passwort wurde geändert. Überall sonst sind Sie abgemeldet.
notice-account-deleted = Ihr Konto und was über Sie gespeichert war, wurde gelöscht.
notice-paid = Ihre Zahlung ist eingegangen.
notice-cancelled = Es wurde storniert. Was Sie dafür bezahlt haben, ist auf dem Weg zurück zu Ihnen.
notice-transferred = Die Karte wurde weitergegeben. Ihr eigener Code gewährt keinen Einlass mehr.
notice-rated = Danke. Ihre Bewertung zählt.

## When something does not work

error-code = Code
error-to-events = Alle Veranstaltungen
error-to-bookings = Meine Buchungen
refused-not-found = Hier ist nichts
refused-not-found-next = Vielleicht ist die Adresse vertippt, oder was hier war, ist fort. Bei den Veranstaltungen geht es gut weiter.
refused-event-not-found = Diese Veranstaltung gibt es nicht
refused-event-not-found-next = Vielleicht wurde sie entfernt, oder die Adresse ist vertippt. Sehen Sie, was sonst stattfindet.
refused-event-not-published = Diese Veranstaltung ist nicht im Verkauf
refused-event-not-published-next = Sie wurde noch nicht veröffentlicht. Kommen Sie später wieder, oder sehen Sie, was sonst stattfindet.
refused-event-cancelled = Diese Veranstaltung wurde abgesagt
refused-event-cancelled-next = Die Buchungen sind beendet, Zahlungen werden erstattet. Sie müssen nichts tun.
refused-event-ended = Diese Veranstaltung ist vorbei
refused-event-ended-next = Sie kann nicht mehr gebucht werden. Sehen Sie, was als Nächstes stattfindet.
refused-event-not-started = Die Veranstaltung hat noch nicht begonnen
refused-event-not-started-next = Sobald sie beginnt, können Sie sie bewerten.
refused-sold-out = Ausverkauft
refused-sold-out-next = So viele Plätze sind nicht mehr frei, und es wurde nichts abgebucht. Versuchen Sie es mit weniger Plätzen oder einer anderen Kartenart. Plätze, die andere reserviert haben und nicht bezahlen, werden nach einigen Minuten wieder frei.
refused-over-limit = Das ist mehr, als eine Buchung haben darf
refused-over-limit-next = Wählen Sie weniger Karten. Die Grenze steht bei jeder Kartenart.
refused-sales-not-started = Der Verkauf hat noch nicht begonnen
refused-sales-not-started-next = Auf der Seite der Veranstaltung steht, wann er beginnt. Es wurde nichts gebucht.
refused-sales-ended = Der Verkauf ist beendet
refused-sales-ended-next = Diese Kartenart gibt es nicht mehr zu kaufen. Vielleicht ist eine andere noch im Verkauf.
refused-unknown-ticket-type = Diese Kartenart gibt es nicht mehr
refused-unknown-ticket-type-next = Die Veranstaltung wurde inzwischen geändert. Wählen Sie auf ihrer Seite noch einmal.
refused-unknown-promo-code = Dieser Code ist nicht bekannt
refused-unknown-promo-code-next = Prüfen Sie den Code, oder buchen Sie ohne ihn.
refused-mixed-currencies = Zwei Währungen in einer Buchung
refused-mixed-currencies-next = Buchen Sie zuerst die Karten in der einen Währung, dann die anderen.
refused-expired = Die Zeit zum Bezahlen ist abgelaufen
refused-expired-next = Die Plätze sind wieder im Verkauf, und es wurde nichts abgebucht. Wenn noch Plätze frei sind, können Sie neu buchen.
refused-not-payable = Diese Buchung kann jetzt nicht bezahlt werden
refused-not-payable-next = Vielleicht ist sie schon bezahlt oder beendet. Auf ihrer Seite steht, wie es um sie steht.
refused-payment-declined = Die Zahlung wurde abgelehnt
refused-payment-declined-next = Es wurde nichts abgebucht, und Ihre Plätze sind weiter reserviert. Bezahlen Sie mit einer anderen Karte, bevor die Zeit abläuft.
refused-payment-failed = Die Zahlung ist fehlgeschlagen
refused-payment-failed-next = Es wurde nichts abgebucht. Sie können neu buchen.
refused-payment-in-progress = Eine Zahlung läuft gerade
refused-payment-in-progress-next = Warten Sie einen Moment, und sehen Sie die Buchung noch einmal an. Es wird nicht zweimal abgebucht.
refused-already-cancelled = Das ist schon storniert
refused-already-cancelled-next = Sie müssen nichts tun. Auf der Seite der Buchung steht, wie es um sie steht.
refused-not-cancellable = Das kann nicht mehr storniert werden
refused-not-cancellable-next = Eine benutzte Karte kann nicht zurückgegeben werden, ebenso wenig, wenn die Veranstaltung begonnen hat. Fragen Sie beim Veranstalter nach.
refused-not-transferable = Diese Karte kann nicht weitergegeben werden
refused-not-transferable-next = Sie wurde schon benutzt oder storniert.
refused-unknown-recipient = Diese Adresse hat hier kein Konto
refused-unknown-recipient-next = Bitten Sie die Person, zuerst ein Konto zu eröffnen, und geben Sie die Karte dann an dessen Adresse weiter.
refused-not-a-ticket-holder = Nur wer eine Karte hatte, kann bewerten
refused-not-a-ticket-holder-next = Melden Sie sich mit dem Konto an, dem die Karte gehört.
refused-buyer = Sie haben diese Buchung storniert
refused-buyer-next = Was Sie bezahlt haben, ist auf dem Weg zurück zu Ihnen. Sie können neu buchen.
refused-forbidden = Das ist nicht für Sie bestimmt
refused-forbidden-next = Es gehört jemand anderem. Vielleicht sind Sie mit einem anderen Konto angemeldet.
refused-forged-form = Dieses Formular ist nicht von hier oder zu alt
refused-forged-form-next = Es wurde nichts geändert. Gehen Sie zurück, laden Sie die Seite neu, und senden Sie es noch einmal. Ihr Browser muss Cookies dieser Seite annehmen.
refused-bad-input = Das war nicht zu lesen
refused-bad-input-next = Gehen Sie zurück, und prüfen Sie, was Sie eingegeben haben.
refused-body-too-large = Das ist zu lang
refused-body-too-large-next = Gehen Sie zurück, und kürzen Sie, was Sie eingegeben haben.
refused-method = Das geht hier nicht
refused-method-next = Gehen Sie zurück, und benutzen Sie die Knöpfe der Seite.
refused-changed = Es wurde inzwischen geändert
refused-changed-next = Gehen Sie zurück, laden Sie die Seite neu, und sehen Sie noch einmal hin, bevor Sie senden.
refused-too-many = Zu viele Versuche
refused-too-many-next = Warten Sie eine Minute, und versuchen Sie es noch einmal.
refused-unavailable = Gerade nicht verfügbar
refused-unavailable-next = Es ist viel los, oder ein Teil dieser Seite wird neu gestartet. Warten Sie einen Moment, und versuchen Sie es noch einmal; es geschieht nichts doppelt.
refused-internal = Hier ist etwas schiefgegangen
refused-internal-next = Es liegt nicht an Ihnen. Versuchen Sie es noch einmal; es geschieht nichts doppelt.

## Accounts

sign-up-title = Konto eröffnen
sign-up-why = Mit einem Konto buchen Sie Karten und veranstalten selbst.
sign-up-have-one = Sie haben schon ein Konto?
sign-up-action = Konto eröffnen
log-in-title = Anmelden
log-in-first = Melden Sie sich an, um weiterzumachen. Danach geht es dort weiter, wo Sie waren.
log-in-none = Sie haben noch kein Konto?
log-in-wrong = Adresse und Passwort gehören nicht zusammen
account-title = Ihr Konto
name = Name
name-hint = Wie er auf Ihren Karten stehen soll
name-mend = Geben Sie Ihren Namen ein, höchstens 200 Zeichen
email = E-Mail-Adresse
email-mend = Geben Sie eine E-Mail-Adresse ein, etwa name@example.org
email-taken = Diese Adresse hat schon ein Konto. Melden Sie sich an, oder nehmen Sie eine andere
email-fixed = Die Adresse kann nicht geändert werden. Karten werden an sie geschickt.
password = Passwort
password-hint = Mindestens 8 Zeichen
password-mend = Geben Sie ein Passwort mit 8 bis 256 Zeichen ein
password-current = Bisheriges Passwort
password-current-mend = Das ist nicht Ihr bisheriges Passwort
password-new = Neues Passwort
password-title = Passwort ändern
password-action = Passwort ändern
gender = Geschlecht
gender-none = Keine Angabe
gender-male = Männlich
gender-female = Weiblich
gender-other = Divers
birth-year = Geburtsjahr
birth-year-mend = Geben Sie ein Jahr mit vier Ziffern ein, oder nichts
about-you-hint = Veranstalter sehen es nur als Summe über alle Besucher.
export-title = Was über Sie gespeichert ist
export-text = Alles, aus jedem Teil dieser Seite, in einer Datei.
export-action = Herunterladen
delete-title = Konto löschen
delete-text = Ihr Name und Ihre Adresse werden überall gelöscht. Karten, die Sie haben, können nicht mehr angezeigt werden. Das lässt sich nicht rückgängig machen.
delete-confirm = Ich möchte mein Konto löschen
delete-confirm-mend = Setzen Sie das Häkchen, wenn Sie sicher sind
delete-action = Konto löschen

## What is on

events-title = Was läuft
events-description = Konzerte, Vorträge, Läufe und Abendessen: sehen, was läuft, und einen Platz buchen.
events-by-month = Als Monat ansehen
events-none-found = Nichts gefunden
events-none-found-next = Versuchen Sie es mit weniger Wörtern, einer anderen Stadt oder mehr Tagen.
events-all = Alles ansehen
events-none = Noch läuft nichts
events-none-next = Machen Sie den Anfang: Legen Sie eine Veranstaltung an; sobald Sie sie veröffentlichen, steht sie hier.
pages-label = Seiten
pages-next = Nächste Seite
search-words = Suche
search-words-mend = Geben Sie höchstens 200 Zeichen ein
search-category = Kategorie
search-city = Stadt
search-from = Von
search-to = Bis
search-date-mend = Geben Sie einen Tag ein, etwa 2026-12-31
search-any = Alle
search-action = Suchen
search-chosen = Eingegrenzt auf
search-take-away = entfernen
calendar-to-list = Als Liste ansehen
calendar-months = Monate
calendar-none = In diesem Monat läuft nichts.
calendar-more = { $count ->
    [one] { $count } weitere
   *[other] { $count } weitere
}
price-from = ab { $price }
sale-sold-out = Ausverkauft
sale-closed = Nicht im Verkauf
sale-draft = Entwurf
sale-cancelled = Abgesagt
sale-ended = Vorbei

## The page of an event

event-when-day = { $date }, { $start } bis { $end } Uhr
event-when-days = { $start } bis { $end }
event-online = Im Netz
event-back = Was läuft
event-about = Über die Veranstaltung
event-facts = Wann und wo
event-when = Wann
event-zone = Ortszeit in { $zone }
event-where = Wo
event-categories = Kategorien
event-website = Website
event-to-calendar = In den Kalender eintragen
ratings-title = Bewertungen
ratings-average = { $count ->
    [one] { $average } von 5, aus { $count } Bewertung
   *[other] { $average } von 5, aus { $count } Bewertungen
}
ratings-of-five = { $stars ->
    [one] { $stars } Stern
   *[other] { $stars } Sterne
}
tickets-title = Karten
tickets-left = { $count ->
    [one] noch { $count }
   *[other] noch { $count }
}
live-left-one = noch { $number }
live-left-other = noch { $number }
tickets-most = { $count ->
    [one] höchstens { $count } je Buchung
   *[other] höchstens { $count } je Buchung
}
tickets-from = Im Verkauf ab { $moment }
tickets-go-on = Weiter
tickets-go-on-hint = Sie sehen die Summe, bevor etwas gebucht wird.
tickets-sold-out-hint = Plätze, die andere reserviert haben und nicht bezahlen, werden nach einigen Minuten wieder frei. Diese Seite zeigt es sofort.
widget-tickets = Karten
widget-more = Mehr ansehen

## From a choice to a booking

book-title = Ihre Auswahl
book-back = Ändern
book-nothing-chosen = Sie haben noch keine Karten gewählt
book-choose = Karten wählen
book-line = { $number } × { $kind }
price-column = Preis
total = Summe
promo-code = Aktionscode
book-free-hint = Es kostet nichts. Ihre Karten sind sofort da.
book-free-action = Kostenlos buchen
book-hold-hint = Ihre Plätze sind reserviert, während Sie bezahlen. Vorher wird nichts abgebucht.
book-action = Plätze reservieren und bezahlen

## Bookings

bookings-none = Noch keine Buchungen
bookings-none-next = Was Sie buchen, steht hier, mit den Karten dazu.
booking-made = Gebucht am { $moment }
booking-event-gone = Eine Veranstaltung, die nicht mehr gezeigt wird
booking-pending = Wird entschieden
booking-pending-next = Ihre Plätze werden gesucht. Diese Seite fragt von selbst noch einmal; Sie können auch später wiederkommen.
booking-held = Zu bezahlen
booking-held-title = Bezahlen Sie Ihre Plätze
booking-booked = Gebucht
booking-booked-title = Sie sind dabei
booking-rejected = Abgelehnt
booking-cancelled = Storniert
booking-expired = Zeit abgelaufen
booking-again = Neu buchen
booking-money = Zahlung
booking-number = Buchungsnummer
booking-tickets-hint = Zeigen Sie den Code am Einlass, auf dem Telefon oder auf Papier. Er ist auch in Ihrer Mail.
refund-due = Auf dem Weg zurück zu Ihnen
refund-done = Erstattet
hold-until = Ihre Plätze sind bis { $time } Uhr reserviert.
hold-left = Ihre Plätze sind noch { $time } reserviert.
card = Kartennummer
card-hint = Diese Seite nimmt nur Testkarten: Es fließt kein echtes Geld.
card-mend = Geben Sie die Nummer einer der Testkarten unten ein
card-what = Was sie tut
card-pays = Bezahlt
card-declined = Wird abgelehnt
card-silent = Antwortet nicht, und nichts wird bezahlt
card-late = Antwortet zuerst nicht; die Zahlung findet sich nach einer Weile
cards-title = Die Testkarten
pay-action = { $amount } bezahlen
cancel-whole = Plätze zurückgeben
cancel-some = Karten stornieren
cancel-title = Stornieren
cancel-refund = Sie bekommen zurück, was Sie dafür bezahlt haben.
cancel-which = Welche Karten?
cancel-mend = Wählen Sie mindestens eine Karte
cancel-action = Stornieren
cancel-keep = Alles lassen, wie es ist

## Tickets

ticket-title = Karte
ticket-kind = Art
ticket-show = Zeigen
ticket-pdf = Drucken (PDF)
ticket-cancelled = Storniert
ticket-admitted = Benutzt
ticket-qr = Der Code der Karte, für den Einlass
ticket-code = Der Code als Text
ticket-to-booking = Zurück zur Buchung
transfer-title = Weitergeben
transfer-text = Die Karte geht mit einem neuen Code in ein anderes Konto über. Der Code oben gewährt dann keinen Einlass mehr.
transfer-email = E-Mail-Adresse des anderen Kontos
transfer-action = Weitergeben

## Ratings by who was there

rate-title = Wie war es?
rate-how = Ihre Bewertung
rate-comment = Was würden Sie anderen sagen?
rate-action = Bewerten
