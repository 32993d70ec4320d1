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
price-free-to = frei bis { $price }
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

## Organising

organise-new = Neue Veranstaltung
organise-none = Du hast noch keine Veranstaltung
organise-draft = Entwurf
organise-on-sale = Im Verkauf
organise-over = Vorbei
organise-called-off = Abgesagt
organise-left = { $left ->
    [one] { $left } Platz frei
   *[other] { $left } Plätze frei
}
organise-publish = In den Verkauf geben
organise-edit = Bearbeiten
organise-preview = So sehen es Besucher
organise-clone = Kopie anlegen
organise-cancel = Veranstaltung absagen
organise-cancel-hint = Jede Buchung wird storniert und erstattet. Das lässt sich nicht rückgängig machen.
organise-cancel-sure = Ja, absagen
organise-import = Aus einer Datei übernehmen
organise-import-file = Inhalt der CSV-Datei
organise-import-hint = Die erste Zeile nennt die Spalten: name, start_date und nach Wunsch end_date, city, country, venue, places, price, currency, description, categories. Jede gute Zeile wird ein Entwurf.
import-result = { $created ->
    [one] { $created } neuer Entwurf
   *[other] { $created } neue Entwürfe
}, { $known } schon bekannt, { $bad } Fehler
import-unknown = Ausgelassene Spalten:
import-bad = Was nicht stimmt
import-mend = Bessere diese Zeilen aus und schicke die ganze Datei noch einmal: was übernommen wurde, entsteht nicht doppelt.
import-line = Zeile
import-column = Spalte
import-reason = Grund
import-created = Neue Entwürfe
edit-title = Titel
edit-description = Beschreibung
edit-description-hint = Markdown: Eine leere Zeile beginnt einen Absatz, *Sterne* betonen ein Wort.
edit-starts = Beginn
edit-ends = Ende
edit-time-mend = Gib Tag und Uhrzeit an, und eine bekannte Zeitzone
edit-zone = Zeitzone
edit-zone-hint = Etwa Europe/Berlin
edit-online = Sie findet im Netz statt
edit-venue = Ort
edit-address = Adresse
edit-city = Stadt
edit-country = Land
edit-categories = Kategorien
edit-categories-hint = Durch Kommas getrennt
edit-image = Adresse eines Bildes
edit-type = Karten
edit-types = Kartenarten
edit-type-name = Name der Kartenart
edit-type-add = Kartenart hinzufügen
edit-type-delete = Entfernen
edit-type-booked-hint = Wer schon gebucht hat, behält den Preis von damals.
edit-type-delete-hint = Sie kann entfernt werden, solange niemand sie gebucht hat.
edit-price = Preis
edit-price-hint = Leer lassen, wenn es nichts kostet
edit-price-mend = Gib einen Betrag wie 20,50 an
edit-currency = Währung
edit-quantity = Plätze
edit-quantity-mend = Gib eine ganze Zahl an
edit-draft-hint = Es bleibt ein Entwurf, bis du es in den Verkauf gibst. Niemand sonst sieht ihn.
edit-preview = Vorschau
attendees = Gäste
attendees-file = Als CSV herunterladen
attendees-none = Noch hat niemand eine Karte
ticket-type = Kartenart

## Charts

chart-nothing = Noch nichts zu zeigen
chart-not-yet = Die Zahlen dieser Veranstaltung sind noch nicht da. Komm gleich wieder.
chart-table = Die Zahlen als Tabelle
chart-sales = Verkäufe im Verlauf
chart-visits-over-time = Besuche im Verlauf
chart-funnel = Vom Besuch zur Karte
chart-ages = Gäste nach Alter
chart-genders = Gäste nach Geschlecht
chart-top = Deine Veranstaltungen im Vergleich
chart-when = Zeitraum
chart-step = Schritt
chart-group = Gruppe
chart-event = Veranstaltung
chart-count = Anzahl
chart-booked = Gebucht
chart-cancelled = Zurückgegeben
chart-kept = Behalten
chart-visits = Besuche
chart-sold = Verkauft
chart-held = Reserviert
chart-conversion = Buchungen je Besuch
chart-revenue = Einnahmen
chart-period = Zeitraum
chart-daily = Tage
chart-weekly = Wochen
chart-monthly = Monate
chart-ratings = { $count ->
    [one] { $count } Bewertung
   *[other] { $count } Bewertungen
}
group-female = Frauen
group-male = Männer
group-other = Andere
group-unknown = Ohne Angabe

## The door

door-title = Einlass
door-choose = Wähle die Veranstaltung, deren Einlass du machst.
door-inside = drinnen
door-ready = Bereit für die nächste Karte
door-code = Code der Karte
door-check = Prüfen
door-scan = Mit der Kamera lesen
door-camera = Bild der Kamera
door-admitted = Eingelassen
door-already = Schon drinnen
door-wrong-event = Andere Veranstaltung
door-cancelled = Storniert
door-unpaid = Nicht bezahlt
door-transferred = Weitergegeben: alter Code
door-forged = Keine Karte von uns
door-waiting = Noch nicht bestätigt
door-lost = Kein Netz: Es wird von selbst noch einmal gefragt
door-waiting-title = Noch nicht bestätigt

## The first steps

welcome-title = Von nichts zur verkauften Karte
welcome-lead = Fünf Schritte, wenige Minuten. Nichts kostet Geld: Zahlungen sind simuliert.
welcome-account = Konto eröffnen
welcome-account-how = Ein Name, eine Adresse und ein Passwort. Jeder darf veranstalten.
welcome-event = Veranstaltung anlegen
welcome-event-how = Wann, wo und wie viele Plätze. Sie bleibt ein Entwurf.
welcome-publish = In den Verkauf geben
welcome-publish-how = Von da an sehen es alle.
welcome-book = Platz buchen
welcome-book-how = Wie ein Gast. Die Karte kommt sofort, und per Mail.
welcome-door = Einlass öffnen
welcome-door-how = Halte den Code der Karte davor und sieh zu, wie du eingelassen wirst.
welcome-done = erledigt

## For administrators

admin-users = Konten
admin-find = Suchen
admin-nobody = Niemand hat diese Adresse
admin-role = Rolle
admin-since = Seit
admin-events = Alle Veranstaltungen
mailbox-title = Postfach
mailbox-lead = Mails bleiben hier, weil kein Mailserver eingestellt ist. Die neuesten hundert.
mailbox-sends = Mails werden verschickt, hier ist also keine zu lesen.
mailbox-none = Noch keine Mail
system-title = System
system-lead = Wie jeder Dienst steht: was er noch zu verarbeiten hat, und was er nicht konnte.
system-silent = antwortet nicht
system-well = auf dem Stand
system-behind = { $count ->
    [one] { $count } Meldung zurück
   *[other] { $count } Meldungen zurück
}
system-parked = { $count ->
    [one] { $count } Meldung beiseite
   *[other] { $count } Meldungen beiseite
}
system-topic = Thema
system-behind-head = Rückstand
system-oldest = Älteste
system-redrive = Noch einmal versuchen
system-figures = Zahlen des Prozesses

## After a form of who organises

notice-saved = Es wurde gespeichert.
notice-published = Die Veranstaltung ist im Verkauf.
notice-called-off = Die Veranstaltung wurde abgesagt. Jede Buchung wird erstattet.
notice-cloned = Das ist die Kopie: ein eigener Entwurf.
notice-redriven = Sie wurden noch einmal versucht. Was noch zu sehen ist, ging nicht.
