## How the language writes numbers, money and time

language-name = हिन्दी
plural-one = 0 1
number-decimal = .
number-group = ,
number-grouping = 3 2
money-with-sign = { $sign }{ $amount }
date-long = { $weekday }, { $day } { $month } { $year }
date-short = { $day } { $month } { $year }
date-month = { $month } { $year }
date-and-time = { $date }, { $time }
time-hours = 12
time-morning = पूर्वाह्न
time-afternoon = अपराह्न
month-names = जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर
month-names-short = जन॰ फ़र॰ मार्च अप्रैल मई जून जुल॰ अग॰ सित॰ अक्टू॰ नव॰ दिस॰
weekday-names = सोमवार मंगलवार बुधवार गुरुवार शुक्रवार शनिवार रविवार
weekday-names-short = सोम मंगल बुध गुरु शुक्र शनि रवि

## Around every page

site-name = Boxoffice
skip-to-content = सामग्री पर जाएँ
nav-label = मुख्य
nav-events = कार्यक्रम
nav-calendar = कैलेंडर
nav-bookings = मेरी बुकिंग
nav-organise = आयोजन करें
nav-admin = प्रशासन
nav-log-in = लॉग इन
nav-sign-up = खाता खोलें
nav-log-out = लॉग आउट
footer-about = टिकट सीधे आयोजकों से।
language = भाषा
colours = रंग
colours-system = सिस्टम जैसे
colours-light = हल्के
colours-dark = गहरे
free-of-charge = निःशुल्क

## Forms

form-is-wrong = कुछ ठीक करना बाकी है
optional = वैकल्पिक
cancel-and-go-back = वापस जाएँ
save = सहेजें

## After a form

notice-signed-up = स्वागत है। आपका खाता खुल गया है और आप लॉग इन हैं।
notice-logged-in = आप लॉग इन हैं।
notice-logged-out = आप लॉग आउट हो गए हैं।
notice-account-saved = आपका खाता सहेज लिया गया है।
notice-password-changed = आपका पासवर्ड बदल गया है। बाकी सब जगह आप लॉग आउट हो गए हैं।
notice-account-deleted = आपका खाता और आपके बारे में रखी गई जानकारी मिटा दी गई है।
notice-paid = आपका भुगतान मिल गया है।
notice-cancelled = रद्द हो गया। आपने जो चुकाया था, वह लौटाया जा रहा है।
notice-transferred = टिकट दे दिया गया है। आपके अपने कोड से अब प्रवेश नहीं मिलेगा।
notice-rated = धन्यवाद। आपकी रेटिंग दर्ज हो गई है।

## When something does not work

error-code = कोड
error-to-events = सभी कार्यक्रम देखें
error-to-bookings = मेरी बुकिंग
refused-not-found = यहाँ कुछ नहीं है
refused-not-found-next = शायद पता ग़लत लिखा गया है, या जो यहाँ था वह हट चुका है। कार्यक्रमों की सूची से आगे बढ़ें।
refused-event-not-found = ऐसा कोई कार्यक्रम नहीं है
refused-event-not-found-next = शायद इसे हटा दिया गया है, या पता ग़लत लिखा गया है। देखें कि और क्या हो रहा है।
refused-event-not-published = यह कार्यक्रम अभी बिक्री पर नहीं है
refused-event-not-published-next = आयोजक ने इसे अभी प्रकाशित नहीं किया है। बाद में आएँ, या देखें कि और क्या हो रहा है।
refused-event-cancelled = यह कार्यक्रम रद्द हो गया है
refused-event-cancelled-next = बुकिंग समाप्त कर दी गई हैं और भुगतान लौटाए जा रहे हैं। आपको कुछ नहीं करना है।
refused-event-ended = यह कार्यक्रम हो चुका है
refused-event-ended-next = अब इसकी बुकिंग नहीं हो सकती। देखें कि आगे क्या है।
refused-event-not-started = कार्यक्रम अभी शुरू नहीं हुआ है
refused-event-not-started-next = शुरू होते ही आप रेटिंग दे सकेंगे।
refused-sold-out = सब बिक गया
refused-sold-out-next = आपने जितनी सीटें माँगीं, उतनी नहीं बची हैं, और आपसे कुछ नहीं लिया गया। कम सीटें या दूसरी तरह का टिकट आज़माएँ। दूसरों की रोकी हुई सीटें भुगतान न होने पर कुछ मिनट में लौट आती हैं।
refused-over-limit = एक बुकिंग में इतने टिकट नहीं हो सकते
refused-over-limit-next = कम टिकट चुनें। सीमा हर तरह के टिकट के साथ लिखी है।
refused-sales-not-started = बिक्री अभी शुरू नहीं हुई है
refused-sales-not-started-next = कार्यक्रम के पृष्ठ पर लिखा है कि कब शुरू होगी। कुछ बुक नहीं हुआ।
refused-sales-ended = बिक्री बंद हो चुकी है
refused-sales-ended-next = इस तरह का टिकट अब नहीं मिलेगा। देखें कि कोई और तरह का टिकट बाकी है या नहीं।
refused-unknown-ticket-type = इस तरह का टिकट अब नहीं है
refused-unknown-ticket-type-next = इस बीच कार्यक्रम बदला गया है। उसके पृष्ठ पर फिर से चुनें।
refused-unknown-promo-code = यह कोड मान्य नहीं है
refused-unknown-promo-code-next = कोड जाँचें, या उसके बिना बुक करें।
refused-mixed-currencies = एक बुकिंग में दो मुद्राएँ
refused-mixed-currencies-next = पहले एक मुद्रा के टिकट बुक करें, फिर दूसरी के।
refused-expired = भुगतान का समय निकल गया
refused-expired-next = सीटें फिर बिक्री पर हैं और आपसे कुछ नहीं लिया गया। सीटें बची हों तो आप फिर बुक कर सकते हैं।
refused-not-payable = इस बुकिंग का भुगतान अभी नहीं हो सकता
refused-not-payable-next = शायद भुगतान हो चुका है, या बुकिंग समाप्त हो गई है। उसके पृष्ठ पर स्थिति देखें।
refused-payment-declined = भुगतान अस्वीकार हुआ
refused-payment-declined-next = आपसे कुछ नहीं लिया गया और सीटें अब भी आपके लिए रुकी हैं। समय रहते दूसरे कार्ड से भुगतान करें।
refused-payment-failed = भुगतान नहीं हो सका
refused-payment-failed-next = आपसे कुछ नहीं लिया गया। आप फिर बुक कर सकते हैं।
refused-payment-in-progress = एक भुगतान चल रहा है
refused-payment-in-progress-next = थोड़ा रुककर बुकिंग फिर देखें। आपसे दो बार पैसे नहीं लिए जाएँगे।
refused-already-cancelled = यह पहले ही रद्द है
refused-already-cancelled-next = आपको कुछ नहीं करना है। बुकिंग के पृष्ठ पर स्थिति देखें।
refused-not-cancellable = इसे अब रद्द नहीं किया जा सकता
refused-not-cancellable-next = इस्तेमाल हो चुका टिकट, या शुरू हो चुके कार्यक्रम का टिकट, लौटाया नहीं जा सकता। आयोजक से पूछें।
refused-not-transferable = यह टिकट किसी और को नहीं दिया जा सकता
refused-not-transferable-next = यह पहले ही इस्तेमाल या रद्द हो चुका है।
refused-unknown-recipient = इस पते का यहाँ कोई खाता नहीं है
refused-unknown-recipient-next = पहले उन्हें खाता खोलने को कहें, फिर उसी खाते के पते पर टिकट दें।
refused-not-a-ticket-holder = रेटिंग केवल टिकट वाले दे सकते हैं
refused-not-a-ticket-holder-next = उस खाते से लॉग इन करें जिसमें टिकट है।
refused-buyer = आपने यह बुकिंग रद्द की थी
refused-buyer-next = आपने जो चुकाया था, वह लौटाया जा रहा है। आप फिर बुक कर सकते हैं।
refused-forbidden = यह आपके देखने के लिए नहीं है
refused-forbidden-next = यह किसी और का है। शायद आप किसी दूसरे खाते से लॉग इन हैं।
refused-forged-form = यह फ़ॉर्म यहाँ का नहीं है, या बहुत पुराना है
refused-forged-form-next = कुछ नहीं बदला गया। वापस जाएँ, पृष्ठ फिर से खोलें और दोबारा भेजें। आपके ब्राउज़र को इस साइट की कुकी स्वीकार करनी होगी।
refused-bad-input = यह पढ़ा नहीं जा सका
refused-bad-input-next = वापस जाएँ और जो लिखा था उसे जाँचें।
refused-body-too-large = यह बहुत लंबा है
refused-body-too-large-next = वापस जाएँ और जो लिखा था उसे छोटा करें।
refused-method = यह यहाँ नहीं हो सकता
refused-method-next = वापस जाएँ और पृष्ठ के बटन इस्तेमाल करें।
refused-changed = इस बीच यह बदल गया है
refused-changed-next = वापस जाएँ, पृष्ठ फिर से खोलें और भेजने से पहले दोबारा देखें।
refused-too-many = बहुत अधिक प्रयास
refused-too-many-next = एक मिनट रुककर फिर प्रयास करें।
refused-unavailable = अभी उपलब्ध नहीं
refused-unavailable-next = भीड़ बहुत है, या साइट का कोई हिस्सा फिर से शुरू हो रहा है। थोड़ा रुककर फिर प्रयास करें; कुछ भी दो बार नहीं होगा।
refused-internal = यहाँ कुछ गड़बड़ हो गई
refused-internal-next = इसमें आपकी ग़लती नहीं है। फिर प्रयास करें; कुछ भी दो बार नहीं होगा।

## Accounts

sign-up-title = खाता खोलें
sign-up-why = खाते से आप टिकट बुक करते हैं और अपने कार्यक्रम आयोजित करते हैं।
sign-up-have-one = आपका खाता पहले से है?
sign-up-action = खाता खोलें
log-in-title = लॉग इन
log-in-first = आगे बढ़ने के लिए लॉग इन करें। फिर आप वहीं लौटेंगे जहाँ थे।
log-in-none = अभी खाता नहीं है?
log-in-wrong = पता और पासवर्ड मेल नहीं खाते
account-title = आपका खाता
name = नाम
name-hint = जैसा टिकट पर होना चाहिए
name-mend = अपना नाम लिखें, 200 अक्षरों तक
email = ईमेल पता
email-mend = ईमेल पता लिखें, जैसे name@example.org
email-taken = इस पते का खाता पहले से है। लॉग इन करें, या दूसरा पता लिखें
email-fixed = यह पता बदला नहीं जा सकता। टिकट इसी पर भेजे जाते हैं।
password = पासवर्ड
password-hint = कम से कम 8 अक्षर
password-mend = 8 से 256 अक्षरों का पासवर्ड लिखें
password-current = मौजूदा पासवर्ड
password-current-mend = यह आपका मौजूदा पासवर्ड नहीं है
password-new = नया पासवर्ड
password-title = पासवर्ड बदलें
password-action = पासवर्ड बदलें
gender = लिंग
gender-none = उत्तर नहीं
gender-male = पुरुष
gender-female = महिला
gender-other = अन्य
birth-year = जन्म का वर्ष
birth-year-mend = चार अंकों का वर्ष लिखें, या खाली छोड़ें
about-you-hint = आयोजक इसे केवल सभी दर्शकों के जोड़ के रूप में देखते हैं।
export-title = आपके बारे में क्या रखा गया है
export-text = इस साइट के हर हिस्से से, सब कुछ, एक फ़ाइल में।
export-action = डाउनलोड करें
delete-title = खाता मिटाएँ
delete-text = आपका नाम और पता हर जगह से मिटा दिया जाएगा। आपके टिकट फिर नहीं दिखाए जा सकेंगे। इसे पलटा नहीं जा सकता।
delete-confirm = मैं अपना खाता मिटाना चाहता/चाहती हूँ
delete-confirm-mend = पक्का हो तो निशान लगाएँ
delete-action = खाता मिटाएँ

## What is on

events-title = क्या हो रहा है
events-description = संगीत, व्याख्यान, दौड़ और दावतें: देखें कि क्या हो रहा है और अपनी सीट बुक करें।
events-by-month = महीने के अनुसार देखें
events-none-found = कुछ नहीं मिला
events-none-found-next = कम शब्द, दूसरा शहर या अधिक दिन आज़माएँ।
events-all = सब देखें
events-none = अभी कुछ नहीं हो रहा
events-none-next = शुरुआत आप करें: कार्यक्रम बनाएँ, प्रकाशित करते ही वह यहाँ दिखेगा।
pages-label = पृष्ठ
pages-next = अगला पृष्ठ
search-words = खोज
search-words-mend = 200 अक्षरों तक लिखें
search-category = श्रेणी
search-city = शहर
search-from = कब से
search-to = कब तक
search-date-mend = तारीख़ लिखें, जैसे 2026-12-31
search-any = सभी
search-action = खोजें
search-chosen = इनसे सीमित
search-take-away = हटाएँ
calendar-to-list = सूची में देखें
calendar-months = महीने
calendar-none = इस महीने कुछ नहीं है।
calendar-more = { $count ->
    [one] { $count } और
   *[other] { $count } और
}
price-from = { $price } से
price-free-to = मुफ़्त से { $price } तक
sale-sold-out = सब बिक गया
sale-closed = बिक्री पर नहीं
sale-draft = प्रारूप
sale-cancelled = रद्द
sale-ended = हो चुका

## The page of an event

event-when-day = { $date }, { $start } से { $end } तक
event-when-days = { $start } से { $end } तक
event-online = ऑनलाइन
event-back = क्या हो रहा है
event-about = कार्यक्रम के बारे में
event-facts = कब और कहाँ
event-when = कब
event-zone = { $zone } का समय
event-where = कहाँ
event-categories = श्रेणियाँ
event-website = वेबसाइट
event-to-calendar = अपने कैलेंडर में जोड़ें
ratings-title = रेटिंग
ratings-average = { $count ->
    [one] 5 में से { $average }, { $count } रेटिंग से
   *[other] 5 में से { $average }, { $count } रेटिंग से
}
ratings-of-five = { $stars ->
    [one] { $stars } सितारा
   *[other] { $stars } सितारे
}
tickets-title = टिकट
tickets-left = { $count ->
    [one] { $count } बाकी
   *[other] { $count } बाकी
}
live-left-one = { $number } बाकी
live-left-other = { $number } बाकी
tickets-most = { $count ->
    [one] हर बुकिंग में अधिकतम { $count }
   *[other] हर बुकिंग में अधिकतम { $count }
}
tickets-from = { $moment } से बिक्री पर
tickets-go-on = आगे बढ़ें
tickets-go-on-hint = बुकिंग से पहले आपको कुल राशि दिखेगी।
tickets-sold-out-hint = दूसरों की रोकी हुई सीटें भुगतान न होने पर कुछ मिनट में लौट आती हैं। यह पृष्ठ तुरंत दिखाएगा।
widget-tickets = टिकट
widget-more = और देखें

## From a choice to a booking

book-title = आपका चुनाव
book-back = बदलें
book-nothing-chosen = आपने अभी कोई टिकट नहीं चुना है
book-choose = टिकट चुनें
book-line = { $number } × { $kind }
price-column = मूल्य
total = कुल
promo-code = प्रचार कोड
book-free-hint = इसका कोई शुल्क नहीं है। आपके टिकट तुरंत मिलेंगे।
book-free-action = निःशुल्क बुक करें
book-hold-hint = भुगतान करने तक आपकी सीटें रुकी रहेंगी। उससे पहले कुछ नहीं लिया जाएगा।
book-action = सीटें रोकें और भुगतान करें

## Bookings

bookings-none = अभी कोई बुकिंग नहीं
bookings-none-next = आप जो बुक करेंगे, वह टिकटों के साथ यहाँ रहेगा।
booking-made = { $moment } को बुक किया
booking-event-gone = ऐसा कार्यक्रम जो अब नहीं दिखाया जाता
booking-pending = निर्णय बाकी
booking-pending-next = आपकी सीटें खोजी जा रही हैं। यह पृष्ठ अपने आप फिर पूछेगा; आप बाद में भी आ सकते हैं।
booking-held = भुगतान बाकी
booking-held-title = अपनी सीटों का भुगतान करें
booking-booked = बुक हो गया
booking-booked-title = आप आ रहे हैं
booking-rejected = अस्वीकृत
booking-cancelled = रद्द
booking-expired = समय निकल गया
booking-again = फिर बुक करें
booking-money = भुगतान
booking-number = बुकिंग संख्या
booking-tickets-hint = प्रवेश पर कोड दिखाएँ, फ़ोन पर या काग़ज़ पर। वह आपके ईमेल में भी है।
refund-due = आपको लौटाया जा रहा है
refund-done = लौटा दिया गया
hold-until = आपकी सीटें { $time } तक रुकी हैं।
hold-left = आपकी सीटें { $time } और रुकी हैं।
card = कार्ड संख्या
card-hint = यह साइट केवल परीक्षण कार्ड लेती है: असली पैसे का लेन-देन नहीं होता।
card-mend = नीचे दिए परीक्षण कार्डों में से किसी की संख्या लिखें
card-what = क्या होता है
card-pays = भुगतान हो जाता है
card-declined = अस्वीकार होता है
card-silent = उत्तर नहीं आता, और भुगतान नहीं होता
card-late = पहले उत्तर नहीं आता; थोड़ी देर बाद भुगतान मिल जाता है
cards-title = परीक्षण कार्ड
pay-action = { $amount } चुकाएँ
cancel-whole = सीटें लौटाएँ
cancel-some = टिकट रद्द करें
cancel-title = रद्द करें
cancel-refund = इनके लिए आपने जो चुकाया था, वह आपको लौटाया जाएगा।
cancel-which = कौन से टिकट?
cancel-mend = कम से कम एक टिकट चुनें
cancel-action = इन्हें रद्द करें
cancel-keep = सब ऐसा ही रहने दें

## Tickets

ticket-title = टिकट
ticket-kind = प्रकार
ticket-show = दिखाएँ
ticket-pdf = छापें (PDF)
ticket-cancelled = रद्द
ticket-admitted = इस्तेमाल हुआ
ticket-qr = प्रवेश के लिए टिकट का कोड
ticket-code = कोड, अक्षरों में
ticket-to-booking = बुकिंग पर लौटें
transfer-title = किसी और को दें
transfer-text = टिकट नए कोड के साथ किसी और के खाते में चला जाएगा। ऊपर के कोड से फिर प्रवेश नहीं मिलेगा।
transfer-email = दूसरे खाते का ईमेल पता
transfer-action = दे दें

## Ratings by who was there

rate-title = कैसा रहा?
rate-how = आपकी रेटिंग
rate-comment = दूसरों से क्या कहेंगे?
rate-action = रेटिंग दें

## Organising

organise-new = नया कार्यक्रम
organise-none = अभी आपका कोई कार्यक्रम नहीं है
organise-draft = मसौदा
organise-on-sale = बिक्री में
organise-over = समाप्त
organise-called-off = रद्द
organise-left = { $left ->
    [one] { $left } जगह बची
   *[other] { $left } जगहें बचीं
}
organise-publish = बिक्री शुरू करें
organise-edit = संपादित करें
organise-preview = आगंतुक की तरह देखें
organise-clone = प्रति बनाएँ
organise-cancel = कार्यक्रम रद्द करें
organise-cancel-hint = हर बुकिंग रद्द होगी और पैसा लौटाया जाएगा। यह वापस नहीं लिया जा सकता।
organise-cancel-sure = हाँ, रद्द करें
organise-import = फ़ाइल से लाएँ
organise-import-file = CSV फ़ाइल की सामग्री
organise-import-hint = पहली पंक्ति में कॉलम हों: name, start_date, और चाहें तो end_date, city, country, venue, places, price, currency, description, categories। हर सही पंक्ति मसौदा बनती है।
import-result = { $created ->
    [one] { $created } नया मसौदा
   *[other] { $created } नए मसौदे
}, { $known } पहले से ज्ञात, { $bad ->
    [one] { $bad } गलती
   *[other] { $bad } गलतियाँ
}
import-unknown = छोड़े गए कॉलम:
import-bad = क्या गलत है
import-mend = इन पंक्तियों को सुधारकर पूरी फ़ाइल फिर भेजें: कुछ भी दो बार नहीं बनेगा।
import-line = पंक्ति
import-column = कॉलम
import-reason = कारण
import-created = नए मसौदे
edit-title = शीर्षक
edit-description = विवरण
edit-description-hint = Markdown: खाली पंक्ति से नया अनुच्छेद, *तारों* से ज़ोर।
edit-starts = आरंभ
edit-ends = समाप्ति
edit-time-mend = दिन और समय, और ज्ञात समय क्षेत्र लिखें
edit-zone = समय क्षेत्र
edit-zone-hint = जैसे Asia/Kolkata
edit-online = यह ऑनलाइन है
edit-venue = स्थान
edit-address = पता
edit-city = शहर
edit-country = देश
edit-categories = श्रेणियाँ
edit-categories-hint = अल्पविराम से अलग
edit-image = चित्र का पता
edit-type = टिकट
edit-types = टिकट के प्रकार
edit-type-name = टिकट प्रकार का नाम
edit-type-add = टिकट प्रकार जोड़ें
edit-type-delete = हटाएँ
edit-type-booked-hint = जिसने पहले बुक किया है, उसका दाम वही रहता है।
edit-type-delete-hint = जब तक किसी ने इसे बुक नहीं किया, इसे हटाया जा सकता है।
edit-price = कीमत
edit-price-hint = मुफ़्त हो तो खाली छोड़ें
edit-price-mend = 20.50 जैसी राशि लिखें
edit-currency = मुद्रा
edit-quantity = जगहें
edit-quantity-mend = पूर्ण संख्या लिखें
edit-draft-hint = बिक्री शुरू करने तक यह मसौदा है। कोई और इसे नहीं देखता।
edit-preview = पूर्वावलोकन
attendees = उपस्थित लोग
attendees-file = CSV में डाउनलोड करें
attendees-none = अभी किसी के पास टिकट नहीं
ticket-type = टिकट प्रकार

## Charts

chart-nothing = अभी दिखाने को कुछ नहीं
chart-not-yet = इस कार्यक्रम के आँकड़े अभी नहीं हैं। थोड़ी देर में देखें।
chart-table = संख्याएँ तालिका में
chart-sales = समय के साथ बिक्री
chart-visits-over-time = समय के साथ दर्शन
chart-funnel = दर्शन से टिकट तक
chart-ages = आयु के अनुसार
chart-genders = लिंग के अनुसार
chart-top = आपके कार्यक्रमों की तुलना
chart-when = अवधि
chart-step = चरण
chart-group = समूह
chart-event = कार्यक्रम
chart-count = संख्या
chart-booked = बुक
chart-cancelled = लौटाए
chart-kept = रखे
chart-visits = दर्शन
chart-sold = बिके
chart-held = रोके गए
chart-conversion = प्रति दर्शन बुकिंग
chart-revenue = आय
chart-period = अवधि
chart-daily = दिन
chart-weekly = सप्ताह
chart-monthly = महीने
chart-ratings = { $count ->
    [one] { $count } रेटिंग
   *[other] { $count } रेटिंग
}
group-female = महिला
group-male = पुरुष
group-other = अन्य
group-unknown = अज्ञात

## The door

door-title = प्रवेश द्वार
door-choose = वह कार्यक्रम चुनें जिसका द्वार आप सँभालते हैं।
door-inside = अंदर
door-ready = अगले टिकट के लिए तैयार
door-code = टिकट का कोड
door-check = जाँचें
door-scan = कैमरे से स्कैन करें
door-camera = कैमरे का चित्र
door-admitted = प्रवेश दिया
door-already = पहले ही अंदर
door-wrong-event = दूसरा कार्यक्रम
door-cancelled = रद्द टिकट
door-unpaid = भुगतान नहीं हुआ
door-transferred = दूसरे को दिया: पुराना कोड
door-forged = यह हमारा टिकट नहीं
door-waiting = अभी पुष्टि नहीं
door-lost = नेटवर्क नहीं: अपने आप फिर पूछा जाएगा
door-waiting-title = जिनकी पुष्टि बाकी है

## The first steps

welcome-title = शून्य से बिके टिकट तक
welcome-lead = पाँच चरण, कुछ मिनट। कोई पैसा नहीं लगता: भुगतान नकली हैं।
welcome-account = खाता खोलें
welcome-account-how = नाम, ईमेल और पासवर्ड। कोई भी आयोजन कर सकता है।
welcome-event = कार्यक्रम बनाएँ
welcome-event-how = कब, कहाँ और कितनी जगहें। यह मसौदा रहता है।
welcome-publish = बिक्री शुरू करें
welcome-publish-how = तब से सब इसे देखते हैं।
welcome-book = जगह बुक करें
welcome-book-how = आगंतुक की तरह। टिकट तुरंत और ईमेल से आता है।
welcome-door = द्वार खोलें
welcome-door-how = टिकट का कोड दिखाएँ और प्रवेश पाएँ।
welcome-done = पूरा

## For administrators

admin-users = खाते
admin-find = खोजें
admin-nobody = यह पता किसी का नहीं
admin-role = भूमिका
admin-since = कब से
admin-events = सबके कार्यक्रम
mailbox-title = डाकपेटी
mailbox-lead = मेल सर्वर न होने से मेल यहीं रहते हैं। नवीनतम सौ।
mailbox-sends = मेल भेजे जाते हैं, इसलिए यहाँ कोई नहीं।
mailbox-none = अभी कोई मेल नहीं
system-title = प्रणाली
system-lead = हर सेवा की दशा: क्या बाकी है और क्या नहीं हो सका।
system-silent = उत्तर नहीं
system-well = ठीक
system-behind = { $count ->
    [one] { $count } तथ्य बाकी
   *[other] { $count } तथ्य बाकी
}
system-parked = { $count ->
    [one] { $count } तथ्य अलग रखा
   *[other] { $count } तथ्य अलग रखे
}
system-topic = विषय
system-behind-head = बाकी
system-oldest = सबसे पुराना
system-redrive = फिर कोशिश करें
system-figures = प्रक्रिया के आँकड़े

## After a form of who organises

notice-saved = सहेजा गया।
notice-published = कार्यक्रम बिक्री में है।
notice-called-off = कार्यक्रम रद्द हुआ। हर बुकिंग का पैसा लौटेगा।
notice-cloned = यह प्रति है: अपना अलग मसौदा।
notice-redriven = फिर कोशिश हुई। जो अब भी दिखता है वह नहीं हो सका।
