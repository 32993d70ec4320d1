### English. Every other file has the same texts with the same variables; the build says what is missing.

## How the language writes numbers, money and time

language-name = English
# The numbers that take the form [one], separated by spaces.
plural-one = 1
number-decimal = .
number-group = ,
# The sizes of groups of digits from the right; the last one goes on.
number-grouping = 3
money-with-sign = { $sign }{ $amount }
date-long = { $weekday }, { $day } { $month } { $year }
date-short = { $day } { $month } { $year }
date-month = { $month } { $year }
date-and-time = { $date }, { $time }
# 24, or 12 with the two words below.
time-hours = 24
time-morning = am
time-afternoon = pm
month-names = January February March April May June July August September October November December
month-names-short = Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec
weekday-names = Monday Tuesday Wednesday Thursday Friday Saturday Sunday
weekday-names-short = Mon Tue Wed Thu Fri Sat Sun

## Around every page

site-name = Boxoffice
skip-to-content = Skip to the content
nav-label = Main
nav-events = Events
nav-calendar = Calendar
nav-bookings = My bookings
nav-organise = Organise
nav-admin = Admin
nav-log-in = Log in
nav-sign-up = Sign up
nav-log-out = Log out
footer-about = Tickets from the people who make the event.
language = Language
colours = Colours
colours-system = As the system
colours-light = Light
colours-dark = Dark
free-of-charge = Free of charge

## Forms

form-is-wrong = There is a problem
optional = optional
cancel-and-go-back = Go back
save = Save

## After a form

notice-signed-up = Welcome. Your account is open and you are logged in.
notice-logged-in = You are logged in.
notice-logged-out = You are logged out.
notice-account-saved = Your account was saved.
notice-password-changed = Your password was changed. You are logged out everywhere else.
notice-account-deleted = Your account and what was held about you were erased.
notice-paid = Your payment arrived.
notice-cancelled = It was cancelled. What you paid for it is on its way back.
notice-transferred = The ticket was handed on. Your own code no longer admits anybody.
notice-rated = Thank you. Your rating counts.

## When something does not work

error-code = Code
error-to-events = See what is on
error-to-bookings = My bookings
refused-not-found = There is nothing here
refused-not-found-next = The address may be mistyped, or what was here is gone. The list of events is a good place to go on.
refused-event-not-found = There is no such event
refused-event-not-found-next = It may have been taken down, or the address is mistyped. See what else is on.
refused-event-not-published = This event is not on sale
refused-event-not-published-next = The organiser has not published it yet. Come back later, or see what else is on.
refused-event-cancelled = This event was cancelled
refused-event-cancelled-next = Bookings were ended and payments are being returned. You need not do anything.
refused-event-ended = This event is over
refused-event-ended-next = It can no longer be booked. See what is on next.
refused-event-not-started = The event has not started yet
refused-event-not-started-next = You can rate it as soon as it begins.
refused-sold-out = Sold out
refused-sold-out-next = There are not enough places left for what you asked for, and nothing was charged. Try fewer places or another kind of ticket. Places that others hold and do not pay come back after some minutes.
refused-over-limit = That is more than one booking may have
refused-over-limit-next = Choose fewer tickets. The limit is shown beside each kind of ticket.
refused-sales-not-started = Sales have not started
refused-sales-not-started-next = The event's page says when they do. Nothing was booked.
refused-sales-ended = Sales have ended
refused-sales-ended-next = This kind of ticket can no longer be bought. Look whether another kind is still on sale.
refused-unknown-ticket-type = This kind of ticket is gone
refused-unknown-ticket-type-next = The organiser has changed the event meanwhile. Choose again on the event's page.
refused-unknown-promo-code = This code is not known
refused-unknown-promo-code-next = Check the code, or book without it.
refused-mixed-currencies = Two currencies in one booking
refused-mixed-currencies-next = Book the tickets in one currency first, then the others.
refused-expired = The time to pay ran out
refused-expired-next = The places went back on sale and nothing was charged. You can book again if there are places left.
refused-not-payable = This booking cannot be paid now
refused-not-payable-next = It may be paid already, or be over. The booking's page says how it stands.
refused-payment-declined = The payment was declined
refused-payment-declined-next = Nothing was charged and your places are still held. Pay with another card before the time is up.
refused-payment-failed = The payment failed
refused-payment-failed-next = Nothing was charged. You can book again.
refused-payment-in-progress = A payment is under way
refused-payment-in-progress-next = Wait a moment and look at the booking again. You will not be charged twice.
refused-already-cancelled = It is cancelled already
refused-already-cancelled-next = You need not do anything. The booking's page says how it stands.
refused-not-cancellable = This can no longer be cancelled
refused-not-cancellable-next = A ticket that was used, or an event that has begun, cannot be given back. Ask the organiser.
refused-not-transferable = This ticket cannot be handed on
refused-not-transferable-next = It was used or cancelled already.
refused-unknown-recipient = Nobody here has this address
refused-unknown-recipient-next = Ask the person to sign up first, then hand the ticket on to the address of that account.
refused-not-a-ticket-holder = Only who had a ticket may rate
refused-not-a-ticket-holder-next = Log in with the account that holds the ticket.
refused-buyer = You cancelled this booking
refused-buyer-next = What you paid is on its way back. You can book again.
refused-forbidden = This is not for you to see
refused-forbidden-next = It belongs to somebody else. Perhaps you are logged in with another account.
refused-forged-form = This form is not from here, or is too old
refused-forged-form-next = Nothing was changed. Go back, reload the page and send it again. Your browser must accept cookies of this site.
refused-bad-input = That could not be read
refused-bad-input-next = Go back and check what you entered.
refused-body-too-large = That is too long
refused-body-too-large-next = Go back and shorten what you entered.
refused-method = That cannot be done here
refused-method-next = Go back and use the buttons of the page.
refused-changed = It was changed meanwhile
refused-changed-next = Go back, reload the page and look at it again before you send it.
refused-too-many = Too many tries
refused-too-many-next = Wait a minute and try again.
refused-unavailable = Not available right now
refused-unavailable-next = Much is going on, or a part of this site is being restarted. Wait a moment and try again; nothing is done twice.
refused-internal = Something went wrong here
refused-internal-next = It is not your fault. Try again; nothing is done twice.

## Accounts

sign-up-title = Open an account
sign-up-why = With an account you book tickets, and organise events of your own.
sign-up-have-one = You have an account already?
sign-up-action = Open the account
log-in-title = Log in
log-in-first = Log in to go on. Then you come back to where you were.
log-in-none = You have no account yet?
log-in-wrong = The address and the password do not belong together
account-title = Your account
name = Name
name-hint = As it should be on your tickets
name-mend = Enter your name, up to 200 characters
email = Email address
email-mend = Enter an email address, such as name@example.org
email-taken = This address has an account already. Log in, or use another address
email-fixed = The address cannot be changed. Tickets are sent to it.
password = Password
password-hint = At least 8 characters
password-mend = Enter a password of 8 to 256 characters
password-current = Current password
password-current-mend = This is not your current password
password-new = New password
password-title = Change the password
password-action = Change the password
gender = Gender
gender-none = No answer
gender-male = Male
gender-female = Female
gender-other = Other
birth-year = Year of birth
birth-year-mend = Enter a year with four digits, or nothing
about-you-hint = Organisers see it only as sums over all their visitors.
export-title = What is held about you
export-text = Everything, from every part of this site, as one file.
export-action = Download it
delete-title = Erase the account
delete-text = Your name and address are erased everywhere. Tickets that you hold can no longer be shown. This cannot be undone.
delete-confirm = I want to erase my account
delete-confirm-mend = Tick the box to say that you are sure
delete-action = Erase the account

## What is on

events-title = What is on
events-description = Concerts, talks, runs and dinners: see what is on and book your place.
events-by-month = See it by month
events-none-found = Nothing was found
events-none-found-next = Try fewer words, another city or more days.
events-all = See everything
events-none = Nothing is on yet
events-none-next = Be the first: make an event, and it is here as soon as you publish it.
pages-label = Pages
pages-next = Next page
search-words = Search
search-words-mend = Enter at most 200 characters
search-category = Category
search-city = City
search-from = From
search-to = Until
search-date-mend = Enter a day, such as 2026-12-31
search-any = All
search-action = Search
search-chosen = Narrowed by
search-take-away = take away
calendar-to-list = See it as a list
calendar-months = Months
calendar-none = Nothing is on in this month.
calendar-more = { $count ->
    [one] { $count } more
   *[other] { $count } more
}
price-from = from { $price }
price-free-to = free to { $price }
sale-sold-out = Sold out
sale-closed = Not on sale
sale-draft = Draft
sale-cancelled = Cancelled
sale-ended = Over

## The page of an event

event-when-day = { $date }, { $start } to { $end }
event-when-days = { $start } to { $end }
event-online = On the net
event-back = What is on
event-about = About the event
event-facts = When and where
event-when = When
event-zone = Time in { $zone }
event-where = Where
event-categories = Categories
event-website = Website
event-to-calendar = Add to your calendar
ratings-title = Ratings
ratings-average = { $count ->
    [one] { $average } out of 5, from { $count } rating
   *[other] { $average } out of 5, from { $count } ratings
}
ratings-of-five = { $stars ->
    [one] { $stars } star
   *[other] { $stars } stars
}
tickets-title = Tickets
tickets-left = { $count ->
    [one] { $count } left
   *[other] { $count } left
}
live-left-one = { $number } left
live-left-other = { $number } left
tickets-most = { $count ->
    [one] at most { $count } each booking
   *[other] at most { $count } each booking
}
tickets-from = On sale from { $moment }
tickets-go-on = Go on
tickets-go-on-hint = You see the sum before anything is booked.
tickets-sold-out-hint = Places that others hold and do not pay come back after some minutes. This page shows it at once.
widget-tickets = Tickets
widget-more = See more

## From a choice to a booking

book-title = Your choice
book-back = Change it
book-nothing-chosen = You have not chosen any tickets yet
book-choose = Choose tickets
book-line = { $number } × { $kind }
price-column = Price
total = Total
promo-code = Promotion code
book-free-hint = It costs nothing. Your tickets are there at once.
book-free-action = Book free of charge
book-hold-hint = Your places are held while you pay. Nothing is charged before that.
book-action = Hold the places and pay

## Bookings

bookings-none = No bookings yet
bookings-none-next = What you book is here, with its tickets.
booking-made = Booked on { $moment }
booking-event-gone = An event that is no longer shown
booking-pending = Being decided
booking-pending-next = Your places are being looked for. This page asks again by itself; you can also come back later.
booking-held = To be paid
booking-held-title = Pay for your places
booking-booked = Booked
booking-booked-title = You are going
booking-rejected = Refused
booking-cancelled = Cancelled
booking-expired = Time ran out
booking-again = Book again
booking-money = Payment
booking-number = Booking number
booking-tickets-hint = Show the code at the door, on your phone or on paper. It is in your mail too.
refund-due = On its way back to you
refund-done = Given back
hold-until = Your places are held until { $time }.
hold-left = Your places are held for { $time } more.
card = Card number
card-hint = This site takes test cards only: no real money moves.
card-mend = Enter the number of one of the test cards below
card-what = What it does
card-pays = Pays
card-declined = Is declined
card-silent = Does not answer, and nothing is paid
card-late = Does not answer at first; the payment is found after a while
cards-title = The test cards
pay-action = Pay { $amount }
cancel-whole = Give the places back
cancel-some = Cancel tickets
cancel-title = Cancel
cancel-refund = You get back what you paid for them.
cancel-which = Which tickets?
cancel-mend = Choose at least one ticket
cancel-action = Cancel them
cancel-keep = Keep everything as it is

## Tickets

ticket-title = Ticket
ticket-kind = Kind
ticket-show = Show
ticket-pdf = Print (PDF)
ticket-cancelled = Cancelled
ticket-admitted = Used
ticket-qr = The code of the ticket, for the door
ticket-code = The code as text
ticket-to-booking = Back to the booking
transfer-title = Hand it on
transfer-text = The ticket moves to somebody else's account, with a new code. The code above then no longer admits anybody.
transfer-email = Email address of the other account
transfer-action = Hand it on

## Ratings by who was there

rate-title = How was it?
rate-how = Your rating
rate-comment = What would you tell others?
rate-action = Rate

## Organising

organise-new = New event
organise-none = You have no event yet
organise-draft = Draft
organise-on-sale = On sale
organise-over = Over
organise-called-off = Called off
organise-left = { $left ->
    [one] { $left } place left
   *[other] { $left } places left
}
organise-publish = Put on sale
organise-edit = Edit
organise-preview = See it as visitors do
organise-clone = Make a copy
organise-cancel = Call the event off
organise-cancel-hint = Every booking is cancelled and refunded. This cannot be taken back.
organise-cancel-sure = Yes, call it off
organise-import = Import from a file
organise-import-file = Content of the CSV file
organise-import-hint = The first line names the columns: name, start_date, and if you like end_date, city, country, venue, places, price, currency, description, categories. Each good row becomes a draft.
import-result = { $created ->
    [one] { $created } new draft
   *[other] { $created } new drafts
}, { $known ->
    [one] { $known } known already
   *[other] { $known } known already
}, { $bad ->
    [one] { $bad } mistake
   *[other] { $bad } mistakes
}
import-unknown = Columns that were left out:
import-bad = What is wrong
import-mend = Mend these rows and send the whole file again: what was taken is known and not made twice.
import-line = Line
import-column = Column
import-reason = Reason
import-created = New drafts
edit-title = Title
edit-description = Description
edit-description-hint = Markdown: an empty line begins a paragraph, *stars* stress a word.
edit-starts = Begins
edit-ends = Ends
edit-time-mend = Enter a day and a time, and a known time zone
edit-zone = Time zone
edit-zone-hint = Such as Europe/Berlin
edit-online = It takes place on the net
edit-venue = Venue
edit-address = Address
edit-city = City
edit-country = Country
edit-categories = Categories
edit-categories-hint = Separated by commas
edit-image = Address of a picture
edit-type = Tickets
edit-types = Ticket types
edit-type-name = Name of the ticket type
edit-type-add = Add a ticket type
edit-type-delete = Remove
edit-type-booked-hint = Who has booked already keeps the price of then.
edit-type-delete-hint = It can be removed as long as nobody has booked it.
edit-price = Price
edit-price-hint = Leave it empty when it is free
edit-price-mend = Enter an amount such as 20.50
edit-currency = Currency
edit-quantity = Places
edit-quantity-mend = Enter a whole number
edit-draft-hint = It is a draft until you put it on sale. Nobody else sees it.
edit-preview = Preview
attendees = Attendees
attendees-file = Download as CSV
attendees-none = Nobody has a ticket yet
ticket-type = Ticket type

## Charts

chart-nothing = Nothing to show yet
chart-not-yet = The figures of this event are not there yet. Come back in a moment.
chart-table = The numbers as a table
chart-sales = Sales over time
chart-visits-over-time = Visits over time
chart-funnel = From visit to ticket
chart-ages = Ticket holders by age
chart-genders = Ticket holders by gender
chart-top = Your events compared
chart-when = Period
chart-step = Step
chart-group = Group
chart-event = Event
chart-count = Count
chart-booked = Booked
chart-cancelled = Given back
chart-kept = Kept
chart-visits = Visits
chart-sold = Sold
chart-held = Held
chart-conversion = Bookings per visit
chart-revenue = Revenue
chart-period = Period
chart-daily = Days
chart-weekly = Weeks
chart-monthly = Months
chart-ratings = { $count ->
    [one] { $count } rating
   *[other] { $count } ratings
}
group-female = Women
group-male = Men
group-other = Other
group-unknown = Not said

## The door

door-title = Door
door-choose = Choose the event whose door you keep.
door-inside = inside
door-ready = Ready for the next ticket
door-code = Code of the ticket
door-check = Check
door-scan = Scan with the camera
door-camera = Picture of the camera
door-admitted = Admitted
door-already = Already inside
door-wrong-event = Another event
door-cancelled = Cancelled
door-unpaid = Not paid
door-transferred = Handed on: an old code
door-forged = Not a ticket of ours
door-waiting = Not confirmed yet
door-lost = No network: it is asked again by itself
door-waiting-title = Not confirmed yet

## The first steps

welcome-title = From nothing to a sold ticket
welcome-lead = Five steps, a few minutes. Nothing here costs money: payments are simulated.
welcome-account = Open an account
welcome-account-how = A name, an address and a password. Everybody may organise.
welcome-event = Write an event
welcome-event-how = When, where, and how many places. It stays a draft.
welcome-publish = Put it on sale
welcome-publish-how = From then on everybody sees it.
welcome-book = Book a place
welcome-book-how = As a visitor would. The ticket comes at once, and by mail.
welcome-door = Open the door
welcome-door-how = Hold the code of the ticket against it and see yourself admitted.
welcome-done = done

## For administrators

admin-users = Accounts
admin-find = Find
admin-nobody = Nobody has this address
admin-role = Role
admin-since = Since
admin-events = Everybody’s events
mailbox-title = Mailbox
mailbox-lead = Mail is kept here because no mail server is set. The newest hundred.
mailbox-sends = Mail is sent, so there is none to read here.
mailbox-none = No mail yet
system-title = System
system-lead = How each service stands: what it has still to process, and what it could not.
system-silent = does not answer
system-well = up to date
system-behind = { $count ->
    [one] { $count } fact behind
   *[other] { $count } facts behind
}
system-parked = { $count ->
    [one] { $count } fact parked
   *[other] { $count } facts parked
}
system-topic = Topic
system-behind-head = Behind
system-oldest = Oldest
system-redrive = Try them again
system-figures = Figures of the process

## After a form of who organises

notice-saved = It was saved.
notice-published = The event is on sale.
notice-called-off = The event was called off. Every booking is refunded.
notice-cloned = This is the copy: a draft of its own.
notice-redriven = They were tried again. What is still shown could not be processed.
