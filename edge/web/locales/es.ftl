## How the language writes numbers, money and time

language-name = Español
plural-one = 1
number-decimal = ,
number-group = .
number-grouping = 3
money-with-sign = { $amount }{"\u00A0"}{ $sign }
date-long = { $weekday }, { $day } de { $month } de { $year }
date-short = { $day } { $month } { $year }
date-month = { $month } de { $year }
date-and-time = { $date }, { $time }
time-hours = 24
time-morning = a.{"\u00A0"}m.
time-afternoon = p.{"\u00A0"}m.
month-names = enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
month-names-short = ene feb mar abr may jun jul ago sept oct nov dic
weekday-names = lunes martes miércoles jueves viernes sábado domingo
weekday-names-short = lun mar mié jue vie sáb dom

## Around every page

site-name = Boxoffice
skip-to-content = Ir al contenido
nav-label = Principal
nav-events = Eventos
nav-calendar = Calendario
nav-bookings = Mis reservas
nav-organise = Organizar
nav-admin = Administración
nav-log-in = Iniciar sesión
nav-sign-up = Crear cuenta
nav-log-out = Cerrar sesión
footer-about = Entradas de quienes hacen el evento.
language = Idioma
colours = Colores
colours-system = Como el sistema
colours-light = Claro
colours-dark = Oscuro
free-of-charge = Gratis

## Forms

form-is-wrong = Hay un problema
optional = opcional
cancel-and-go-back = Volver
save = Guardar

## After a form

notice-signed-up = Le damos la bienvenida. Su cuenta está creada y la sesión, iniciada.
notice-logged-in = Ha iniciado sesión.
notice-logged-out = Ha cerrado la sesión.
notice-account-saved = Su cuenta se ha guardado.
notice-password-changed = Su contraseña ha cambiado. La sesión está cerrada en todos los demás sitios.
notice-account-deleted = Su cuenta y lo que se guardaba sobre usted se han borrado.
notice-paid = Su pago ha llegado.
notice-cancelled = Está cancelado. Lo que pagó por ello va de vuelta.
notice-transferred = La entrada se ha traspasado. Su propio código ya no da acceso.
notice-rated = Gracias. Su valoración cuenta.

## When something does not work

error-code = Código
error-to-events = Ver la cartelera
error-to-bookings = Mis reservas
refused-not-found = Aquí no hay nada
refused-not-found-next = Quizá la dirección esté mal escrita, o lo que había aquí ya no esté. La cartelera es un buen lugar para seguir.
refused-event-not-found = No existe ese evento
refused-event-not-found-next = Quizá se haya retirado, o la dirección esté mal escrita. Vea qué más hay.
refused-event-not-published = Este evento no está a la venta
refused-event-not-published-next = Todavía no se ha publicado. Vuelva más tarde o vea qué más hay.
refused-event-cancelled = Este evento se ha cancelado
refused-event-cancelled-next = Las reservas han terminado y los pagos se devuelven. No tiene que hacer nada.
refused-event-ended = Este evento ya ha pasado
refused-event-ended-next = Ya no se puede reservar. Vea qué viene ahora.
refused-event-not-started = El evento aún no ha empezado
refused-event-not-started-next = Podrá valorarlo en cuanto empiece.
refused-sold-out = Agotado
refused-sold-out-next = No quedan tantas plazas como pidió y no se le ha cobrado nada. Pruebe con menos plazas u otro tipo de entrada. Las plazas que otros retienen y no pagan vuelven a los pocos minutos.
refused-over-limit = Es más de lo que admite una reserva
refused-over-limit-next = Elija menos entradas. El límite figura junto a cada tipo.
refused-sales-not-started = La venta no ha empezado
refused-sales-not-started-next = La página del evento dice cuándo empieza. No se ha reservado nada.
refused-sales-ended = La venta ha terminado
refused-sales-ended-next = Este tipo de entrada ya no se vende. Mire si queda otro a la venta.
refused-unknown-ticket-type = Este tipo de entrada ya no existe
refused-unknown-ticket-type-next = El evento ha cambiado mientras tanto. Elija de nuevo en su página.
refused-unknown-promo-code = No se conoce ese código
refused-unknown-promo-code-next = Compruebe el código o reserve sin él.
refused-mixed-currencies = Dos monedas en una reserva
refused-mixed-currencies-next = Reserve primero las entradas en una moneda y después las otras.
refused-expired = Se acabó el tiempo para pagar
refused-expired-next = Las plazas vuelven a estar a la venta y no se le ha cobrado nada. Puede reservar otra vez si quedan plazas.
refused-not-payable = Esta reserva no se puede pagar ahora
refused-not-payable-next = Quizá ya esté pagada o haya terminado. Su página dice cómo está.
refused-payment-declined = El pago fue rechazado
refused-payment-declined-next = No se ha cobrado nada y sus plazas siguen retenidas. Pague con otra tarjeta antes de que acabe el tiempo.
refused-payment-failed = El pago ha fallado
refused-payment-failed-next = No se ha cobrado nada. Puede reservar otra vez.
refused-payment-in-progress = Hay un pago en curso
refused-payment-in-progress-next = Espere un momento y mire otra vez la reserva. No se le cobrará dos veces.
refused-already-cancelled = Ya está cancelado
refused-already-cancelled-next = No tiene que hacer nada. La página de la reserva dice cómo está.
refused-not-cancellable = Ya no se puede cancelar
refused-not-cancellable-next = Una entrada usada, o un evento ya empezado, no se puede devolver. Pregunte a quien organiza.
refused-not-transferable = Esta entrada no se puede traspasar
refused-not-transferable-next = Ya se ha usado o cancelado.
refused-unknown-recipient = Nadie aquí tiene esa dirección
refused-unknown-recipient-next = Pida a esa persona que cree primero una cuenta y traspase la entrada a la dirección de esa cuenta.
refused-not-a-ticket-holder = Solo quien tuvo una entrada puede valorar
refused-not-a-ticket-holder-next = Inicie sesión con la cuenta que tiene la entrada.
refused-buyer = Usted canceló esta reserva
refused-buyer-next = Lo que pagó va de vuelta. Puede reservar otra vez.
refused-forbidden = Esto no es para usted
refused-forbidden-next = Pertenece a otra persona. Quizá haya iniciado sesión con otra cuenta.
refused-forged-form = Este formulario no es de aquí o es demasiado antiguo
refused-forged-form-next = No se ha cambiado nada. Vuelva atrás, recargue la página y envíelo otra vez. Su navegador debe aceptar las cookies de este sitio.
refused-bad-input = No se ha podido leer
refused-bad-input-next = Vuelva atrás y compruebe lo que escribió.
refused-body-too-large = Es demasiado largo
refused-body-too-large-next = Vuelva atrás y acorte lo que escribió.
refused-method = Eso no se puede hacer aquí
refused-method-next = Vuelva atrás y use los botones de la página.
refused-changed = Ha cambiado mientras tanto
refused-changed-next = Vuelva atrás, recargue la página y mírelo otra vez antes de enviarlo.
refused-too-many = Demasiados intentos
refused-too-many-next = Espere un minuto e inténtelo de nuevo.
refused-unavailable = No disponible ahora mismo
refused-unavailable-next = Hay mucho movimiento o se está reiniciando una parte del sitio. Espere un momento e inténtelo de nuevo; nada se hace dos veces.
refused-internal = Algo ha fallado aquí
refused-internal-next = No es culpa suya. Inténtelo de nuevo; nada se hace dos veces.

## Accounts

sign-up-title = Crear una cuenta
sign-up-why = Con una cuenta reserva entradas y organiza sus propios eventos.
sign-up-have-one = ¿Ya tiene una cuenta?
sign-up-action = Crear la cuenta
log-in-title = Iniciar sesión
log-in-first = Inicie sesión para continuar. Después volverá a donde estaba.
log-in-none = ¿Aún no tiene cuenta?
log-in-wrong = La dirección y la contraseña no se corresponden
account-title = Su cuenta
name = Nombre
name-hint = Como debe figurar en sus entradas
name-mend = Escriba su nombre, de 200 caracteres como máximo
email = Correo electrónico
email-mend = Escriba una dirección de correo, como nombre@example.org
email-taken = Esta dirección ya tiene una cuenta. Inicie sesión o use otra dirección
email-fixed = La dirección no se puede cambiar. Las entradas se envían a ella.
password = Contraseña
password-hint = Al menos 8 caracteres
password-mend = Escriba una contraseña de 8 a 256 caracteres
password-current = Contraseña actual
password-current-mend = Esta no es su contraseña actual
password-new = Contraseña nueva
password-title = Cambiar la contraseña
password-action = Cambiar la contraseña
gender = Género
gender-none = Sin respuesta
gender-male = Hombre
gender-female = Mujer
gender-other = Otro
birth-year = Año de nacimiento
birth-year-mend = Escriba un año de cuatro cifras, o nada
about-you-hint = Quienes organizan solo lo ven como suma de todo el público.
export-title = Lo que se guarda sobre usted
export-text = Todo, de cada parte de este sitio, en un solo archivo.
export-action = Descargar
delete-title = Borrar la cuenta
delete-text = Su nombre y su dirección se borran en todas partes. Las entradas que tenga ya no se podrán mostrar. No se puede deshacer.
delete-confirm = Quiero borrar mi cuenta
delete-confirm-mend = Marque la casilla si está seguro
delete-action = Borrar la cuenta

## What is on

events-title = En cartelera
events-description = Conciertos, charlas, carreras y cenas: vea qué hay y reserve su plaza.
events-by-month = Ver por meses
events-none-found = No se ha encontrado nada
events-none-found-next = Pruebe con menos palabras, otra ciudad o más días.
events-all = Ver todo
events-none = Todavía no hay nada
events-none-next = Sea quien empiece: cree un evento y aparecerá aquí en cuanto lo publique.
pages-label = Páginas
pages-next = Página siguiente
search-words = Buscar
search-words-mend = Escriba 200 caracteres como máximo
search-category = Categoría
search-city = Ciudad
search-from = Desde
search-to = Hasta
search-date-mend = Escriba un día, como 2026-12-31
search-any = Todas
search-action = Buscar
search-chosen = Filtrado por
search-take-away = quitar
calendar-to-list = Ver como lista
calendar-months = Meses
calendar-none = No hay nada este mes.
calendar-more = { $count ->
    [one] { $count } más
   *[other] { $count } más
}
price-from = desde { $price }
price-free-to = de gratis a { $price }
sale-sold-out = Agotado
sale-closed = Sin venta
sale-draft = Borrador
sale-cancelled = Cancelado
sale-ended = Terminado

## The page of an event

event-when-day = { $date }, de { $start } a { $end }
event-when-days = del { $start } al { $end }
event-online = En línea
event-back = En cartelera
event-about = Sobre el evento
event-facts = Cuándo y dónde
event-when = Cuándo
event-zone = Hora de { $zone }
event-where = Dónde
event-categories = Categorías
event-website = Sitio web
event-to-calendar = Añadir a su calendario
ratings-title = Valoraciones
ratings-average = { $count ->
    [one] { $average } de 5, con { $count } valoración
   *[other] { $average } de 5, con { $count } valoraciones
}
ratings-of-five = { $stars ->
    [one] { $stars } estrella
   *[other] { $stars } estrellas
}
tickets-title = Entradas
tickets-left = { $count ->
    [one] queda { $count }
   *[other] quedan { $count }
}
live-left-one = queda { $number }
live-left-other = quedan { $number }
tickets-most = { $count ->
    [one] { $count } como máximo por reserva
   *[other] { $count } como máximo por reserva
}
tickets-from = A la venta desde el { $moment }
tickets-go-on = Continuar
tickets-go-on-hint = Verá el total antes de reservar nada.
tickets-sold-out-hint = Las plazas que otros retienen y no pagan vuelven a los pocos minutos. Esta página lo muestra enseguida.
widget-tickets = Entradas
widget-more = Ver más

## From a choice to a booking

book-title = Su elección
book-back = Cambiarla
book-nothing-chosen = Aún no ha elegido entradas
book-choose = Elegir entradas
book-line = { $number } × { $kind }
price-column = Precio
total = Total
promo-code = Código promocional
book-free-hint = No cuesta nada. Sus entradas están al momento.
book-free-action = Reservar gratis
book-hold-hint = Sus plazas quedan retenidas mientras paga. Antes no se cobra nada.
book-action = Retener las plazas y pagar

## Bookings

bookings-none = Aún no hay reservas
bookings-none-next = Lo que reserve estará aquí, con sus entradas.
booking-made = Reservado el { $moment }
booking-event-gone = Un evento que ya no se muestra
booking-pending = Por decidir
booking-pending-next = Se están buscando sus plazas. Esta página vuelve a preguntar sola; también puede volver más tarde.
booking-held = Por pagar
booking-held-title = Pague sus plazas
booking-booked = Reservado
booking-booked-title = Allí estará
booking-rejected = Rechazada
booking-cancelled = Cancelada
booking-expired = Tiempo agotado
booking-again = Reservar otra vez
booking-money = Pago
booking-number = Número de reserva
booking-tickets-hint = Muestre el código en la puerta, en el móvil o en papel. También está en su correo.
refund-due = De vuelta a usted
refund-done = Devuelto
hold-until = Sus plazas están retenidas hasta las { $time }.
hold-left = Sus plazas están retenidas { $time } más.
card = Número de tarjeta
card-hint = Este sitio solo acepta tarjetas de prueba: no se mueve dinero real.
card-mend = Escriba el número de una de las tarjetas de prueba de abajo
card-what = Qué hace
card-pays = Paga
card-declined = Es rechazada
card-silent = No responde y no se paga nada
card-late = Al principio no responde; el pago aparece al cabo de un rato
cards-title = Las tarjetas de prueba
pay-action = Pagar { $amount }
cancel-whole = Devolver las plazas
cancel-some = Cancelar entradas
cancel-title = Cancelar
cancel-refund = Se le devuelve lo que pagó por ellas.
cancel-which = ¿Qué entradas?
cancel-mend = Elija al menos una entrada
cancel-action = Cancelarlas
cancel-keep = Dejar todo como está

## Tickets

ticket-title = Entrada
ticket-kind = Tipo
ticket-show = Mostrar
ticket-pdf = Imprimir (PDF)
ticket-cancelled = Cancelada
ticket-admitted = Usada
ticket-qr = El código de la entrada, para la puerta
ticket-code = El código como texto
ticket-to-booking = Volver a la reserva
transfer-title = Traspasarla
transfer-text = La entrada pasa a la cuenta de otra persona con un código nuevo. El código de arriba deja entonces de dar acceso.
transfer-email = Correo electrónico de la otra cuenta
transfer-action = Traspasar

## Ratings by who was there

rate-title = ¿Qué tal fue?
rate-how = Su valoración
rate-comment = ¿Qué les diría a los demás?
rate-action = Valorar

## Organising

organise-new = Nuevo evento
organise-none = Aún no tienes ningún evento
organise-draft = Borrador
organise-on-sale = A la venta
organise-over = Terminado
organise-called-off = Anulado
organise-left = { $left ->
    [one] queda { $left } plaza
   *[other] quedan { $left } plazas
}
organise-publish = Poner a la venta
organise-edit = Editar
organise-preview = Ver como visitante
organise-clone = Hacer una copia
organise-cancel = Anular el evento
organise-cancel-hint = Se cancelan y reembolsan todas las reservas. No se puede deshacer.
organise-cancel-sure = Sí, anular
organise-import = Importar de un archivo
organise-import-file = Contenido del archivo CSV
organise-import-hint = La primera línea nombra las columnas: name, start_date y, si quieres, end_date, city, country, venue, places, price, currency, description, categories. Cada fila correcta se convierte en borrador.
import-result = { $created ->
    [one] { $created } borrador nuevo
   *[other] { $created } borradores nuevos
}, { $known ->
    [one] { $known } ya conocido
   *[other] { $known } ya conocidos
}, { $bad ->
    [one] { $bad } error
   *[other] { $bad } errores
}
import-unknown = Columnas omitidas:
import-bad = Qué está mal
import-mend = Corrige estas filas y envía el archivo entero otra vez: nada se crea dos veces.
import-line = Línea
import-column = Columna
import-reason = Motivo
import-created = Borradores nuevos
edit-title = Título
edit-description = Descripción
edit-description-hint = Markdown: una línea vacía abre un párrafo, *los asteriscos* destacan una palabra.
edit-starts = Empieza
edit-ends = Termina
edit-time-mend = Indica día y hora, y una zona horaria conocida
edit-zone = Zona horaria
edit-zone-hint = Por ejemplo Europe/Madrid
edit-online = Se celebra en línea
edit-venue = Lugar
edit-address = Dirección
edit-city = Ciudad
edit-country = País
edit-categories = Categorías
edit-categories-hint = Separadas por comas
edit-image = Dirección de una imagen
edit-type = Entradas
edit-types = Tipos de entrada
edit-type-name = Nombre del tipo de entrada
edit-type-add = Añadir un tipo de entrada
edit-type-delete = Quitar
edit-type-booked-hint = Quien ya reservó conserva el precio de entonces.
edit-type-delete-hint = Se puede quitar mientras nadie lo haya reservado.
edit-price = Precio
edit-price-hint = Déjalo vacío si es gratis
edit-price-mend = Indica un importe como 20,50
edit-currency = Moneda
edit-quantity = Plazas
edit-quantity-mend = Indica un número entero
edit-draft-hint = Es un borrador hasta que lo pones a la venta. Nadie más lo ve.
edit-preview = Vista previa
attendees = Asistentes
attendees-file = Descargar como CSV
attendees-none = Nadie tiene entrada todavía
ticket-type = Tipo de entrada

## Charts

chart-nothing = Nada que mostrar todavía
chart-not-yet = Las cifras de este evento aún no están. Vuelve en un momento.
chart-table = Los números en tabla
chart-sales = Ventas en el tiempo
chart-visits-over-time = Visitas en el tiempo
chart-funnel = De la visita a la entrada
chart-ages = Asistentes por edad
chart-genders = Asistentes por género
chart-top = Tus eventos comparados
chart-when = Periodo
chart-step = Paso
chart-group = Grupo
chart-event = Evento
chart-count = Cantidad
chart-booked = Reservadas
chart-cancelled = Devueltas
chart-kept = Conservadas
chart-visits = Visitas
chart-sold = Vendidas
chart-held = Retenidas
chart-conversion = Reservas por visita
chart-revenue = Ingresos
chart-period = Periodo
chart-daily = Días
chart-weekly = Semanas
chart-monthly = Meses
chart-ratings = { $count ->
    [one] { $count } valoración
   *[other] { $count } valoraciones
}
group-female = Mujeres
group-male = Hombres
group-other = Otro
group-unknown = Sin indicar

## The door

door-title = Puerta
door-choose = Elige el evento cuya puerta atiendes.
door-inside = dentro
door-ready = Listo para la próxima entrada
door-code = Código de la entrada
door-check = Comprobar
door-scan = Escanear con la cámara
door-camera = Imagen de la cámara
door-admitted = Admitido
door-already = Ya está dentro
door-wrong-event = Otro evento
door-cancelled = Cancelada
door-unpaid = Sin pagar
door-transferred = Cedida: código antiguo
door-forged = No es una entrada nuestra
door-waiting = Aún sin confirmar
door-lost = Sin red: se vuelve a preguntar solo
door-waiting-title = Aún sin confirmar

## The first steps

welcome-title = De nada a una entrada vendida
welcome-lead = Cinco pasos, pocos minutos. Nada cuesta dinero: los pagos son simulados.
welcome-account = Abrir una cuenta
welcome-account-how = Un nombre, una dirección y una contraseña. Cualquiera puede organizar.
welcome-event = Crear un evento
welcome-event-how = Cuándo, dónde y cuántas plazas. Queda como borrador.
welcome-publish = Ponerlo a la venta
welcome-publish-how = Desde entonces lo ve todo el mundo.
welcome-book = Reservar una plaza
welcome-book-how = Como un visitante. La entrada llega al momento, y por correo.
welcome-door = Abrir la puerta
welcome-door-how = Muestra el código de la entrada y verás que te admiten.
welcome-done = hecho

## For administrators

admin-users = Cuentas
admin-find = Buscar
admin-nobody = Nadie tiene esa dirección
admin-role = Rol
admin-since = Desde
admin-events = Eventos de todos
mailbox-title = Buzón
mailbox-lead = El correo queda aquí porque no hay servidor. Los cien más nuevos.
mailbox-sends = El correo se envía, así que aquí no hay ninguno.
mailbox-none = Aún no hay correo
system-title = Sistema
system-lead = Cómo está cada servicio: qué le falta por procesar y qué no pudo.
system-silent = no responde
system-well = al día
system-behind = { $count ->
    [one] { $count } hecho atrasado
   *[other] { $count } hechos atrasados
}
system-parked = { $count ->
    [one] { $count } hecho apartado
   *[other] { $count } hechos apartados
}
system-topic = Tema
system-behind-head = Retraso
system-oldest = Más antiguo
system-redrive = Reintentar
system-figures = Cifras del proceso

## After a form of who organises

notice-saved = Se ha guardado.
notice-published = El evento está a la venta.
notice-called-off = El evento se ha anulado. Se reembolsan todas las reservas.
notice-cloned = Esta es la copia: un borrador propio.
notice-redriven = Se reintentó. Lo que aún se ve no se pudo procesar.
