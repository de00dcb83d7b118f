"""Groups of words built into the search: one a paragraph, one line a language. Data only.

Lines may be broken; a language's line goes on until the next one begins.
"""

from __future__ import annotations

GROUPS = """
en: return, returns, send back, give back, bring back, take back
de: rückgabe, rücksendung, rückgabefrist, rückgaberecht, retoure, retournieren, zurückschicken,
zurückgeben, zurücksenden, zurückbringen, zurück schicken, zurück schicke, zurück geben, zurück
gebe, zurück senden, zurück sende, zurück bringen, widerruf, widerrufen, rückversand

en: refund, refunds, money back, reimburse, reimbursement
de: erstattung, erstatten, geld zurück, rückerstattung, zurückerstatten, rückzahlung

en: exchange, swap, different size, different colour, another size, another colour
de: umtausch, umtauschen, tauschen, tausche, andere größe, andere farbe, austauschen

en: delivery, deliver, delivered, shipping, ship, shipped, shipment, dispatch, dispatched, send
to, post to
de: lieferung, liefern, liefert, geliefert, lieferzeit, versand, versenden, versendet, zustellung,
zustellen, verschicken, verschickt, versandkosten

en: arrive, arrives, arrived, arrival
de: ankommen, angekommen, ankunft, kam an, kommt an

en: parcel, package
de: paket, päckchen, sendung

en: courier, carrier, parcel service, postman
de: paketdienst, bote, zusteller, versanddienst, spedition

en: track, tracking, where is parcel, where is order, where's parcel, where's order, order status
de: sendungsverfolgung, verfolgen, wo ist paket, wo ist bestellung, wo bleibt paket, wo bleibt
bestellung, wo ist lieferung, wo bleibt lieferung, sendungsnummer, bestellstatus

en: abroad, international, internationally, overseas, worldwide, foreign country
de: ausland, weltweit, international, ins ausland

en: country, countries
de: land, länder

en: express, next day, overnight, urgent, tomorrow
de: express, expressversand, eilig, schneller, morgen

en: damaged, broken, smashed, cracked, shattered, broke
de: beschädigt, zerbrochen, kaputt, gebrochen, transportschaden, zersplittert

en: defective, faulty, defect, fault, malfunction, stopped working, flickers, flicker
de: defekt, funktioniert nicht, kaputt, flackert, flackern, fehler, geht nicht mehr

en: missing, lost, incomplete
de: fehlt, fehlen, fehlend, verloren, verschwunden, unvollständig

en: warranty, guarantee
de: garantie, gewährleistung

en: repair, repairs, fix, mend
de: reparatur, reparieren, repariert, instandsetzen

en: spare part, spare parts, replacement part
de: ersatzteil, ersatzteile, ersatzschirm, ersatzkabel

en: pay, payment, paid, paying
de: zahlung, zahlen, zahlt, bezahlen, bezahlung, bezahlt, zahle, zahlungsart, zahlungsarten

en: payment method, payment methods, ways to pay, how can pay, how to pay
de: zahlungsart, zahlungsarten, zahlungsmethode, wie bezahlen, wie zahlen

en: instalments, installments, monthly payments, finance
de: raten, ratenzahlung, ratenkauf, monatsrate

en: card, credit card, debit card, visa, mastercard
de: kreditkarte, kreditkarten, karte, visa, mastercard

en: bank transfer, wire transfer, iban, in advance
de: überweisung, überweisen, iban, vorkasse

en: price, prices, fee, fees, charge, charges
de: preis, preise, gebühr, gebühren, zuschlag

en: free, free of charge
de: kostenlos, gratis, umsonst, kostenfrei, gebührenfrei

en: invoice, receipt, bill
de: rechnung, beleg, quittung, kassenbon

en: purchase on account, buy on account, pay later, pay by invoice
de: kauf auf rechnung, rechnungskauf, rechnung kaufen, rechnung bezahlen, rechnung zahlen

en: vat, tax
de: mehrwertsteuer, mwst, umsatzsteuer, steuer

en: customs, import duty, duties
de: zoll, zollgebühren, einfuhr

en: discount, discount code, voucher code, promo code, promo, coupon
de: rabatt, rabattcode, gutscheincode, aktionscode, nachlass, mengenrabatt

en: sale, reduced, cheaper
de: reduziert, reduzierte, günstiger, ausverkauf

en: gift card, gift voucher, voucher
de: gutschein, geschenkgutschein, geschenkkarte

en: gift, present
de: geschenk, geschenke

en: redeem, use code
de: einlösen, eingelöst

en: balance, remaining
de: restguthaben, guthaben, restwert

en: student, students
de: student, studenten, studierende, studentin, studentenrabatt

en: order, orders, ordered, ordering, purchase, bought, buy
de: bestellung, bestellt, bestellen, kauf, gekauft, kaufen

en: cancel, cancellation, call off
de: stornieren, storno, stornierung, abbestellen, storniert

en: change, alter, modify, edit, correct, update
de: ändern, änderung, korrigieren, berichtigen

en: wrong, mistake, mistyped, typo
de: falsch, falsche, irrtümlich, vertippt

en: wrong item, wrong product, different item
de: falscher artikel, falsches produkt, falsche ware, falsche lampe

en: address, delivery address
de: adresse, anschrift, lieferadresse

en: account, profile
de: konto, kundenkonto, benutzerkonto, profil

en: password
de: passwort, kennwort

en: login, log in, sign in, log into
de: anmelden, einloggen, anmeldung, login

en: register, sign up, registration, create account
de: registrieren, registrierung, konto anlegen, konto erstellen, kundenkonto anlegen

en: forgot, forgotten, reset
de: vergessen, zurücksetzen

en: delete, remove, erase, close my account
de: löschen, löschung, entfernen, gelöscht

en: e-mail, email
de: e-mail, email, mail

en: contact, reach, get in touch
de: kontakt, erreichen, erreichbar, kontaktieren

en: phone, telephone, phone number, telephone number, call, hotline
de: telefon, anrufen, telefonnummer, telefonisch, anruf, hotline

en: opening hours, opening times, business hours, open, closed, you close
de: öffnungszeiten, geöffnet, offen, öffnen, geschlossen, schließen, schließt

en: shop, store, showroom
de: laden, geschäft, ladengeschäft, filiale, ausstellung

en: saturday, weekend
de: samstag, wochenende

en: sunday, weekend
de: sonntag, wochenende, sonntags

en: holiday, holidays, bank holiday, public holidays
de: feiertag, feiertage, feiertagen

en: collect, pick up, click and collect
de: abholen, abholung, selbstabholung, abhole

en: bulb, bulbs, light bulb
de: leuchtmittel, glühbirne, birne, glühlampe

en: lamp, light, luminaire
de: lampe, leuchte

en: dim, dimmable, dimmer, dimming, dimmed
de: dimmbar, dimmen, dimmer

en: energy, electricity, power consumption
de: energie, strom, stromverbrauch

en: mount, mounting, install, installation, hang, attach, put up
de: montage, montieren, montiere, aufhängen, hängen, anbringen, befestigen, installieren,
anschließen

en: assemble, assembly, put together
de: zusammenbauen, aufbauen, aufbau, zusammensetzen

en: ceiling lamp, ceiling light, ceiling
de: decke, deckenlampe, deckenleuchte

en: pendant, pendant lamp
de: pendelleuchte, hängelampe, pendellampe

en: dispose, disposal, recycle, recycling
de: entsorgen, entsorgung, recycling, wegwerfen

en: bathroom, bath
de: bad, badezimmer, feuchtraum

en: outdoors, outdoor, outside, garden
de: außenbereich, freien, draußen, garten, außen

en: privacy, data protection, gdpr, personal data, my data
de: datenschutz, dsgvo, personenbezogene daten, meine daten, meinen daten

en: unsubscribe
de: abmelden, abbestellen

en: neighbour, neighbor
de: nachbar, nachbarn

en: at home, not home, nobody home
de: zu hause, nicht da, niemand zu hause, daheim

en: colour, color
de: farbe
"""

HINTS = """
en: how long, how soon, when, how many days, how fast, days, hours, weeks, time, times, months,
years, monday, tuesday, wednesday, thursday, friday, saturday, sunday
de: wie lange, wann, wie schnell, bis wann, tage, stunden, wochen, zeit, dauer, dauert, frist,
werktage, jahre, monate, lieferzeit, zeitpunkt, uhr, montag, dienstag, mittwoch, donnerstag,
freitag, samstag, sonntag

en: how much, how expensive, cost, costs, price, fee, fees
de: wie viel, wieviel, wie teuer, kostet, kosten, preis, gebühr, gebühren, versandkosten
"""
