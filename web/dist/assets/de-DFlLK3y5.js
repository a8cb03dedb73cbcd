var e=`Hauptnavigation
Zum Inhalt springen
Konto
Verwaltung
Abmelden
Anmelden
Konto erstellen
Sprache
Die Sprache konnte jetzt nicht gewechselt werden. Sie gilt ab Ihrem nächsten Besuch.
Impressum
Datenschutz
Hallo, {name}
Sie sind bei {issuer} angemeldet.
Willkommen bei {issuer}
Sie haben kein Konto? Die Administration von {issuer} kann Ihnen eines geben.
Für ein Konto brauchen Sie eine Einladung.
Passwort, zweiter Faktor und wo Sie angemeldet sind.
Benutzer, Einladungen und Aktivität.
Anmelden
Benutzername oder E-Mail-Adresse
Anmelden
Melden Sie sich an, um diese Seite zu sehen.
Ihre Sitzung ist beendet. Melden Sie sich an, um fortzufahren.
Passwort vergessen?
Passwort vergessen? Bitten Sie die Administration um einen Link, um ein neues festzulegen.
Neu hier?
Konto erstellen
Angemeldet bleiben
Schalten Sie dies auf einem Gerät aus, das auch andere verwenden.
{host} bittet Sie, sich anzumelden.
Weiter zu {host}
Sie sind als {name} angemeldet.
Weiter
{host} hat Sie hierher zurückgeschickt. Entweder darf {name} die Seite nicht öffnen, oder das Cookie dieser Anmeldung kommt dort nicht an. Wenden Sie sich an die Administration.
Anderes Konto verwenden
{name} darf diese Seite von {host} nicht öffnen
Die Regeln dieser Website erlauben es nicht. Verwenden Sie ein anderes Konto, oder wenden Sie sich an die Administration.
Mein Konto
Ihr Browser behält die Anmeldung nicht
Sie sind hier angemeldet, aber ohne Cookie kann {host} das nicht wissen. Erlauben Sie Cookies für diese Website, und versuchen Sie es erneut. Sind sie schon erlaubt, sagen Sie es der Administration: Diese Seite liegt vielleicht in einer anderen Domain, als der Server erwartet.
Unbekannte Adresse
Die Adresse, von der Sie kommen, gehört nicht zu dieser Website. Deshalb führt kein Weg dorthin zurück.
Der Server antwortet nicht. Vielleicht sind Sie bei den Apps noch angemeldet. Lassen Sie diese Seite offen, oder versuchen Sie es erneut.
Sie sind abgemeldet.
{name} ist bei den Apps noch angemeldet.
Erneut anmelden
Dafür ist eine frische Anmeldung nötig. Melden Sie sich erneut an, um fortzufahren.
Das Passwort oder der Code ist falsch.
Zweiter Faktor
Geben Sie die sechs Ziffern ein, die Ihre Authenticator-App anzeigt.
Code
Geben Sie einen Ihrer Wiederherstellungscodes ein. Jeder gilt einmal.
Wiederherstellungscode
Stattdessen einen Wiederherstellungscode verwenden
Stattdessen die Authenticator-App verwenden
Der Code ist falsch, zu alt oder schon verwendet.
Aus Ihrer Authenticator-App, oder ein Wiederherstellungscode.
Benutzername
Passwort
Neues Passwort
Aktuelles Passwort
E-Mail-Adresse
Einladungscode
Mindestens {n} Zeichen. Einige Wörter ohne Zusammenhang sind gut und leicht zu merken.
Passwort anzeigen
optional
Einen Moment …
Versuchen Sie es in {n} Sekunde erneut
Versuchen Sie es in {n} Sekunden erneut
Versuchen Sie es in {n} Minute erneut
Versuchen Sie es in {n} Minuten erneut
Sie können es jetzt erneut versuchen.
Abbrechen
Speichern
Schließen
Konto erstellen
Konto erstellen
Haben Sie schon ein Konto?
Wir senden Ihnen einen Link, um die Adresse zu bestätigen.
Aus dem Link oder der Nachricht, die Sie erhalten haben.
Sie sind schon angemeldet, deshalb wurde die Einladung nicht verwendet. Melden Sie sich ab, um sie zu verwenden.
Die Registrierung ist geschlossen
Neue Konten bei {issuer} erstellt die Administration. Bitten Sie sie um eines.
Prüfen Sie Ihre E-Mails
Wir haben einen Link an {email} gesendet. Öffnen Sie ihn, um die Registrierung abzuschließen.
Wenn {email} zu einem Konto gehört, ist ein Link zum Festlegen eines neuen Passworts unterwegs.
Wenn Sie eine E-Mail angefordert haben, ist sie unterwegs.
Nach einigen Minuten nichts da? Sehen Sie im Spam-Ordner nach, oder versuchen Sie es erneut.
Zurück zur Anmeldung
Erneut senden
Falsche Adresse?
An diese Adresse senden
Erneut gesendet. Verwenden Sie den Link in der neuesten E-Mail.
Wenn {email} zu einem Konto gehört, ist ein weiterer Link unterwegs. Verwenden Sie den neuesten.
Dieser Name gehört jetzt zu einem Konto. Wenn Sie den Link schon geöffnet haben, melden Sie sich an.
Ist die E-Mail zu Ihrer Registrierung verloren gegangen?
Registrieren Sie sich erneut mit demselben Namen und Passwort
Bestätigen Sie Ihre Adresse
Falls Sie das nicht angefordert haben, schließen Sie die Seite: Nichts hat sich geändert.
Adresse bestätigen
Willkommen, {name}
Ihre Adresse ist bestätigt, Ihr Konto ist bereit, und Sie sind angemeldet.
Adresse bestätigt
{email} ist jetzt die Adresse von {name}.
Dieser Link funktioniert nicht
Er wurde schon verwendet, ist abgelaufen oder unvollständig. Wenn Ihr Konto funktioniert, ist alles in Ordnung.
Zur Startseite
Bestätigen Sie, dass {email} Ihre Adresse ist. Sie gehört dann zum Konto {name} bei {issuer}.
Passwort vergessen?
Geben Sie die E-Mail-Adresse Ihres Kontos ein. Wir senden Ihnen einen Link, um ein neues Passwort festzulegen.
Link senden
Dieser Server sendet keine E-Mails. Bitten Sie die Administration um einen Link, um ein neues Passwort festzulegen.
Neues Passwort festlegen
Passwort festlegen
Ihr Passwort ist festgelegt
Sie sind als {name} angemeldet. Alle anderen Sitzungen und alle App-Passwörter sind beendet.
Er wurde schon verwendet, ist abgelaufen oder unvollständig. Jeder Link funktioniert einmal.
Neuen Link anfordern
Zurück
Sie sind als {name} angemeldet. Dieser Link meldet Sie stattdessen als {user} an.
Geschützte Nachricht
Der Server sagt dies nur denen, die angemeldet sind:
Konto
Mitglied seit dem {day}
Rollen
Keine Adresse
Profil
E-Mail-Adresse ändern
Neue E-Mail-Adresse
Bestätigung senden
Wir haben einen Link an {email} gesendet. Die neue Adresse gilt, sobald Sie sie dort bestätigt haben.
Passwort
Eine Änderung beendet alle Ihre anderen Sitzungen.
Passwort ändern
Ihr Passwort ist geändert. Alle anderen Sitzungen sind beendet.
Meine App-Passwörter behalten
Sonst enden sie ebenfalls.
Zweiter Faktor
Aus. Mit einem Code aus einer Authenticator-App genügt ein gestohlenes Passwort allein nicht.
Ein. Zum Anmelden ist ein Code aus Ihrer Authenticator-App nötig.
Einschalten
Ausschalten
Neue Wiederherstellungscodes
Weiter
Geben Sie zuerst Ihr Passwort ein.
Scannen Sie diesen Code mit Ihrer Authenticator-App, oder geben Sie den Schlüssel ein.
QR-Code für eine Authenticator-App
Schlüssel
Geben Sie dann die sechs Ziffern ein, die die App anzeigt.
Er ist für Ihr Konto vorgeschrieben und lässt sich deshalb nicht ausschalten.
Der zweite Faktor ist ausgeschaltet.
Auf diesem Telefon: in der Authenticator-App öffnen
{n} Wiederherstellungscode ist übrig.
{n} Wiederherstellungscodes sind übrig.
Ihre Wiederherstellungscodes
Bewahren Sie sie dort auf, wo Sie sie auch ohne Ihr Telefon finden. Mit jedem können Sie sich einmal anmelden. Sie werden nur jetzt angezeigt.
Kopieren
Als Datei speichern
Ich habe sie gespeichert
Richten Sie den zweiten Faktor ein
{issuer} verlangt für Ihr Konto einen zweiten Faktor: einen Code aus einer Authenticator-App auf Ihrem Telefon. Alles andere öffnet sich, sobald er eingerichtet ist.
Wo Sie angemeldet sind
Diese Sitzung
Auch bei Apps angemeldet
Unbekanntes Gerät
seit {when}
zuletzt verwendet {when}
Abmelden
{device}, {address} abmelden
Die ausgewählte Sitzung ist beendet.
Überall abmelden
Alle Ihre Sitzungen enden, auch diese.
App-Passwörter
Für Programme, die keine Anmeldeseite zeigen können, etwa Kalender, git und Feed-Reader. Überall abmelden beendet sie nicht.
App-Passwort hinzufügen
Name
Das Programm oder Gerät, das es verwenden wird.
ein Jahr
bis Sie es löschen
Nur für diese Hosts
Zum Beispiel cal.example.org oder *.example.org, durch Kommas getrennt.
Es darf auch die API von {issuer} lesen
App-Passwort erstellen
Neues App-Passwort
Verwenden Sie es mit dem Benutzernamen {name}. Es wird nur jetzt angezeigt.
nie verwendet
Löschen
App-Passwort {name} löschen
Das App-Passwort ist gelöscht.
Konto löschen
Ihr Konto und alle seine Sitzungen sind sofort weg. Das lässt sich nicht rückgängig machen.
Mein Konto löschen
Ihr Konto ist gelöscht.
Verwaltung
Verwaltung
Benutzer
Einladungen
Protokoll
E-Mails
Nur für Administratoren
Ihr Konto hat nicht die Rolle admin.
Nach Name oder E-Mail-Adresse suchen
Niemand gefunden.
Deaktiviert
Zweiter Faktor
Benutzer hinzufügen
Weiteren hinzufügen
Rolle
Noch nicht bestätigt
Reihenfolge
Älteste Konten zuerst
Neueste Konten zuerst
Nach Namen
Nach Namen, rückwärts
Letzte Anmeldung zuerst
Am längsten ohne Anmeldung
{n} Benutzer
{n} Benutzer
Mindestens {n} Benutzer
{email} ist noch nicht bestätigt
letzte Anmeldung {when}
Alle
Filter zurücksetzen
Mehr anzeigen ({n})
Nächste Seite
Vorherige Seite
Erste Seite
Seiten
Alle Benutzer
Nummer
Seit
Status
Aktiv
Ein
Aus
Aktivieren
Deaktivieren
{name} ist aktiv.
{name} ist deaktiviert und überall abgemeldet.
Durch Kommas getrennt. Administratoren haben die Rolle admin.
Die Rollen sind gespeichert und gelten sofort.
Neues Passwort
Erstellen Sie einen Link, mit dem {name} ein neues Passwort festlegt. Geben Sie ihn auf einem Weg weiter, dem Sie vertrauen.
Link erstellen
Gilt einmal, bis {when}. Er wird nur jetzt angezeigt.
Link
Sitzungen
{n} Sitzung
{n} Sitzungen
Nirgends angemeldet.
Überall abmelden
{name} ist überall abgemeldet.
Aktivität
Konto löschen
Das Konto von {name} und alle seine Sitzungen sind sofort weg. Das lässt sich nicht rückgängig machen.
{name} löschen
Das Konto von {name} ist gelöscht.
Noch nicht bestätigt
Letzte Anmeldung
Nie
{name} hat den Link in der E-Mail noch nicht geöffnet. Sie können das Konto auch ohne ihn aktivieren.
Ihr eigenes Konto deaktivieren
Sie werden sofort abgemeldet, und nur andere Administratoren können Ihr Konto wieder aktivieren.
Verwaltung abgeben
Ohne die Rolle admin können Sie diese Seiten nicht mehr öffnen. Nur andere Administratoren können sie Ihnen zurückgeben.
{n} fehlgeschlagene Anmeldung seit der letzten erfolgreichen.
{n} fehlgeschlagene Anmeldungen seit der letzten erfolgreichen.
Neue Geräte werden abgewiesen.
Entsperren
Die fehlgeschlagenen Anmeldungen von {name} sind vergessen.
Die neue Adresse gilt sofort, ohne Bestätigung. {name} wird an der alten benachrichtigt.
Die Adresse ist jetzt {email}.
Das Konto hat keine Adresse mehr.
Wenn {name} das Telefon und die Wiederherstellungscodes verloren hat, setzen Sie den zweiten Faktor zurück: Dann genügt das Passwort allein.
Zweiten Faktor zurücksetzen
Sind Sie sicher, dass {name} selbst darum bittet? Bis ein neuer zweiter Faktor eingerichtet ist, genügt das Passwort allein.
{name} hat keinen zweiten Faktor mehr.
Per E-Mail senden
Ein Link an {email} ist unterwegs.
Weiteren Link erstellen
Der Link wurde verwendet oder funktioniert nicht mehr.
Beenden
{device}, {address} beenden
Das Konto ist sofort bereit. Das Passwort legt die Person mit einem Link fest, den Sie als Nächstes sehen.
Das Konto {name} ist erstellt.
{name} öffnen
Kopieren
Kopiert.
Jemanden einladen
Mit einer Einladung kann eine Person ein Konto erstellen.
Die Registrierung läuft zurzeit nicht über Einladungen (--registration), deshalb braucht niemand eine.
Gültig für
einen Tag
eine Woche
einen Monat
Einladung erstellen
Gilt einmal, bis {when}. Sie wird nur jetzt angezeigt.
Code
Link
Offene Einladungen
Es gibt keine.
bis {when}
keine Rollen
Widerrufen
Einladung {id} widerrufen
Die Einladung ist widerrufen.
Die Einladung wird auch dorthin gesendet.
Nachricht
Steht in der E-Mail. Höchstens {n} Zeichen.
Die Einladung wurde verwendet oder ist abgelaufen.
Die Einladung an {email} ist unterwegs.
Keine Aktivität.
Bisher nichts; die nächste Seite hat vielleicht mehr.
Benutzername und IP-Adresse müssen vollständig sein, mit allen Akzenten.
Nur Einträge zu
Benutzer {n}
ein Name, den niemand hat
auf der Befehlszeile
Ereignis
IP-Adresse
Von
Bis
Nur fehlgeschlagene Anmeldungen
Als CSV speichern
Als JSON Lines speichern
Anhalten
Bisher {n} Eintrag …
Bisher {n} Einträge …
{n} Eintrag ist gespeichert.
{n} Einträge sind gespeichert.
App-Passwörter behalten
nicht verglichen: zu viele sind fehlgeschlagen
zweiter Faktor
zweiter Faktor, beim Zurücksetzen des Passworts
zweiter Faktor, bei bestehender Anmeldung
bei bestehender Anmeldung
Einladung {id}
nicht per E-Mail gemeldet: zu viele
von {name}
von {address}
E-Mails, die auf den Versand warten, und solche, die aufgegeben wurden.
Dieser Server sendet keine E-Mails (--mail).
Es warten keine E-Mails.
Neu laden
Wartet
Aufgegeben
{n} Versuch
{n} Versuche
nächster Versuch {when}
Jetzt versuchen
Jetzt versuchen: {kind}, {email}
„{kind}“ an {email} wird in wenigen Sekunden erneut versucht.
Verwerfen
Verwerfen: {kind}, {email}
„{kind}“ an {email} ist verworfen.
Konto bestätigen
Neue Adresse bestätigen
Link für ein neues Passwort
Einladung
Test-E-Mail
Hinweis: Adresse geändert
Hinweis: Passwort geändert
Hinweis: Zweiter Faktor eingeschaltet
Hinweis: Zweiter Faktor ausgeschaltet
Hinweis: Wiederherstellungscode verwendet
Hinweis: Neue Wiederherstellungscodes
Hinweis: Konto gelöscht
Hinweis: Anmeldung auf einem neuen Gerät
Hinweis: Zu viele fehlgeschlagene Anmeldungen
Hinweis: Das Konto hat einen anderen Namen
Registriert
Konto erstellt
Angemeldet
Anmeldung fehlgeschlagen
Anmeldung abgewiesen
Altes Token erneut verwendet
Token übernommen
Browser mit einem Token bei Apps angemeldet
Auf einem neuen Gerät angemeldet
Zu viele fehlgeschlagene Anmeldungen; neue Geräte werden abgewiesen
Abgemeldet
Überall abgemeldet
Sitzung beendet
Passwort geändert
Passwort per Link festgelegt
App-Passwort erstellt
App-Passwort gelöscht
Link für ein neues Passwort angefordert
Neue Adresse zu bestätigen
Adresse bestätigt
Adresse geändert
E-Mail fehlgeschlagen
Test-E-Mail gesendet
E-Mail erneut versucht
E-Mail verworfen
Zweiter Faktor abgefragt
Einrichtung des zweiten Faktors begonnen
Zweiter Faktor eingeschaltet
Zweiter Faktor ausgeschaltet
Zweiter Faktor zurückgesetzt
Wiederherstellungscode verwendet
Neue Wiederherstellungscodes
Rollen geändert
Aktiviert
Deaktiviert
Fehlgeschlagene Anmeldungen vergessen
Link für ein neues Passwort erstellt
Link für ein neues Passwort gesendet
Einladung erstellt
Einladung widerrufen
Konto gelöscht
Schlüssel erneuert
Schlüssel außer Betrieb genommen
Passwort-Hash erneuert
Konten importiert
Datenbank aus einer Sicherung wiederhergestellt
Seite nicht gefunden
An dieser Adresse gibt es nichts.
Wird geladen …
Erneut versuchen
Diese Seite konnte nicht geladen werden
Keine Verbindung zum Server. Neuer Versuch …
Höchstens 64 Zeichen.
Buchstaben, Ziffern und Satzzeichen, aber keine Leerzeichen.
Eine E-Mail-Adresse kann kein Benutzername sein. Wählen Sie einen Namen ohne @.
Das ist zu lang.
Es enthält ein Zeichen, das sich nicht überall tippen lässt.
Mindestens {n} Zeichen.
Es ist kaum mehr als der Benutzername.
Es ist kaum mehr als die E-Mail-Adresse.
Es ist kaum mehr als der Name dieses Programms.
Es ist kaum mehr als der Name dieses Dienstes.
Es ist eines der häufigsten Passwörter, die zuerst ausprobiert werden.
Noch zu kurz.
Leicht zu erraten. Besser: einige Wörter ohne Zusammenhang.
Könnte schwerer zu erraten sein: Fügen Sie ein weiteres Wort hinzu.
Schwer zu erraten.
Diese Adresse gehört zu einem anderen Konto.
Höchstens 16 Rollen.
Eine Rolle hat 1 bis 64 Buchstaben, Ziffern oder _ . : -
Höchstens 64 Zeichen, und keine unsichtbaren.
Das ist kein Host. Schreiben Sie ihn wie cal.example.org oder *.example.org.
Höchstens {n} Hosts.
Administratorkonto erstellen
Wählen Sie Namen und Passwort des ersten Administratorkontos. Danach sind Sie angemeldet.
Sie sind als {name} angemeldet. Hier entsteht ein weiteres Konto.
Administratorkonto erstellen
Es gibt noch kein Administratorkonto. Der Server zeigt beim Start einen Link, der eines erstellt: auf seinem Terminal oder in seinem Log.
Oder führen Sie diesen Befehl dort aus, wo der Server läuft, mit dem --database des Servers, falls er es hat:
Für ein Konto, das es schon gibt:
Er ist unvollständig, wurde schon verwendet oder beim Neustart des Servers ersetzt. Der neueste steht im Log des Servers.
Es gibt schon ein Administratorkonto
Der Link wurde verwendet, oder das Administratorkonto ist auf anderem Weg entstanden.
Ihre Apps
Erste Schritte
Was Sie ansehen sollten, bevor andere kommen. Einstellungen bekommt der Server beim Start.
Erledigt
Offen
Das ist erledigt
Liste ausblenden
Die Liste der ersten Schritte ist in diesem Browser ausgeblendet. Sie steht weiterhin unter {address}.
Name des Dienstes
Er heißt {issuer}. Der Name steht auf den Seiten, in E-Mails und in Authenticator-Apps.
Wer sich registrieren darf
Alle, die den Server erreichen.
Alle, die eine E-Mail-Adresse bestätigen.
Nur Personen mit einer Einladung.
Niemand: Sie erstellen die Konten.
Diese Einstellung ändert es:
E-Mail
Der Server sendet E-Mails. Probieren Sie aus, ob sie ankommen.
Der Server sendet keine E-Mails, deshalb kann niemand allein ein neues Passwort festlegen. Diese Einstellungen schalten den Versand ein:
Test-E-Mail senden
Die E-Mail an {email} wartet auf den Versand.
Die E-Mail an {email} ist gesendet. Sehen Sie im Postfach nach.
Die E-Mail an {email} konnte nicht gesendet werden.
Zweiter Faktor
Ihr Konto hat einen zweiten Faktor.
Dann genügt ein bekannt gewordenes Passwort nicht, um in Ihr Konto zu kommen.
In Ihrem Konto einrichten
Sicherung
Dieser Befehl kopiert die Konten und die Schlüssel, während der Server läuft. Führen Sie ihn täglich aus.
Dieser Befehl kopiert die Konten, während der Server läuft. Kopieren Sie auch die Schlüsseldatei.
Der Server ist nicht erreichbar. Was Sie eingegeben haben, ist noch hier.
Die Antwort des Servers ist nicht lesbar.
Bitte füllen Sie dieses Feld aus.
Das ist keine E-Mail-Adresse.
Der Server hat das nicht verstanden.
Dieser Benutzername ist nicht zulässig.
Dieses Passwort ist nicht zulässig.
Dieser Benutzername ist vergeben.
Die Registrierung ist geschlossen. Bitten Sie die Administration um ein Konto.
Die Einladung ist falsch, verwendet oder abgelaufen. Bitten Sie um eine neue.
Der Link ist nicht oder nicht mehr gültig.
Es gibt schon ein Administratorkonto.
Der Link in dieser E-Mail ist abgelaufen. Löschen Sie die E-Mail.
Es gibt zu viele offene Einladungen. Widerrufen Sie zuerst einige.
Es gibt zu viele App-Passwörter. Löschen Sie zuerst eines.
Der Benutzername oder das Passwort ist falsch.
Sie sind nicht angemeldet.
Ihre Sitzung ist nicht gültig. Melden Sie sich erneut an.
Ihre Sitzung ist nicht gültig. Melden Sie sich erneut an.
Die Zeit dafür ist abgelaufen.
Ihre Sitzung ist beendet. Melden Sie sich erneut an.
Es ist zu früh, um die Sitzung zu erneuern.
Dieser Link dient dazu, eine Adresse zu bestätigen.
Dieser Link dient dazu, ein neues Passwort festzulegen.
Dieser Link wurde schon verwendet oder ist ungültig.
Dieser Link wurde schon verwendet oder ist ungültig.
Dieses Konto gibt es nicht mehr.
Dieses Konto ist nicht aktiv. Ist die Adresse schon bestätigt? Wenn ja, wenden Sie sich an die Administration.
Ihre Sitzung ist beendet. Melden Sie sich erneut an.
Ihre Sitzung ist beendet. Melden Sie sich erneut an.
Ihr Browser hat Cookies mehrerer Sitzungen. Löschen Sie die Cookies dieser Website, und melden Sie sich erneut an.
Die Anmeldung bei Apps braucht HTTPS. Wenden Sie sich an die Administration.
Ihrem Konto fehlt die Rolle, die dafür nötig ist.
Das Passwort ist falsch.
Ein Code Ihres zweiten Faktors ist ebenfalls nötig.
Der zweite Faktor ist schon eingeschaltet.
Es gibt keinen zweiten Faktor, oder die Bestätigung hat zu lange gedauert. Beginnen Sie von vorn.
Der Code ist falsch, zu alt oder schon verwendet.
Ein Code Ihres zweiten Faktors ist ebenfalls nötig.
Ihr Konto muss einen zweiten Faktor haben.
Dafür ist eine frische Anmeldung nötig. Melden Sie sich erneut an.
Der Server nimmt keine Anfragen von Seiten an dieser Adresse an.
Die Regeln dieser Website erlauben das nicht.
Das App-Passwort ist falsch oder gilt nicht mehr.
Das App-Passwort ist hier nicht erlaubt.
Diese Anmeldung gilt nur für eine App. Melden Sie sich neu an.
Zuerst muss es ein anderes aktives Konto mit der Rolle admin und mit einem Passwort geben.
Das Konto ist nicht aktiv. Aktivieren Sie es zuerst.
Das gibt es nicht mehr.
Der Server bietet das nicht an.
Zu viele Versuche. Bitte warten Sie ein wenig.
Der Server ist ausgelastet. Versuchen Sie es gleich noch einmal.
Auf dem Server ist etwas schiefgegangen. Sein Log sagt, was.
Dieser Server sendet keine E-Mails. Bitten Sie die Administration um einen Link, um ein neues Passwort festzulegen.`.split(`
`);export{e as de};