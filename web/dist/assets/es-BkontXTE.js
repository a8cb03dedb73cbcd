var e=`Principal
Saltar al contenido
Cuenta
Administración
Cerrar sesión
Iniciar sesión
Crear cuenta
Idioma
Ahora no se ha podido cambiar el idioma. Se usará a partir de tu próxima visita.
Aviso legal
Privacidad
Hola, {name}
Has iniciado sesión en {issuer}.
Te damos la bienvenida a {issuer}
¿No tienes cuenta? La administración de {issuer} puede darte una.
Para crear una cuenta necesitas una invitación.
Contraseña, segundo factor y dónde tienes la sesión iniciada.
Usuarios, invitaciones y actividad.
Iniciar sesión
Nombre de usuario o correo electrónico
Iniciar sesión
Inicia sesión para ver esta página.
Tu sesión ha terminado. Inicia sesión para continuar.
¿Olvidaste la contraseña?
¿Olvidaste la contraseña? Pide a la administración un enlace para definir otra.
¿Es tu primera vez?
Crear cuenta
Mantener la sesión iniciada
Desactívalo en un dispositivo que usen otras personas.
{host} te pide que inicies sesión.
Continuar a {host}
Has iniciado sesión como {name}.
Continuar
{host} te ha enviado de vuelta aquí. O bien {name} no puede abrirlo, o bien la cookie de esta sesión no llega hasta allí. Consulta a la administración.
Usar otra cuenta
{name} no puede abrir esta página de {host}
Las reglas de este sitio no lo permiten. Usa otra cuenta o consulta a la administración.
Mi cuenta
Tu navegador no conserva la sesión
Has iniciado sesión aquí, pero sin una cookie {host} no puede saberlo. Permite las cookies para este sitio e inténtalo de nuevo. Si ya están permitidas, avisa a la administración: puede que esta página esté en un dominio distinto del que espera el servidor.
Dirección desconocida
La dirección de la que vienes no pertenece a este sitio, así que no vuelves allí.
El servidor no responde, así que puede que tu sesión siga abierta en las aplicaciones. Deja esta página abierta o inténtalo de nuevo.
Has cerrado la sesión.
La sesión de {name} sigue abierta en las aplicaciones.
Iniciar sesión de nuevo
Esto requiere un inicio de sesión reciente. Inicia sesión de nuevo para continuar.
La contraseña o el código no son correctos.
Segundo factor
Escribe los seis dígitos que muestra tu aplicación de autenticación.
Código
Escribe uno de tus códigos de recuperación. Cada uno sirve una vez.
Código de recuperación
Usar un código de recuperación
Usar la aplicación de autenticación
El código no es correcto, es demasiado antiguo o ya se ha usado.
De tu aplicación de autenticación, o un código de recuperación.
Nombre de usuario
Contraseña
Contraseña nueva
Contraseña actual
Correo electrónico
Código de invitación
Al menos {n} caracteres. Unas cuantas palabras sin relación son una buena elección, fácil de recordar.
Mostrar la contraseña
opcional
Un momento …
Inténtalo de nuevo dentro de {n} segundo
Inténtalo de nuevo dentro de {n} segundos
Inténtalo de nuevo dentro de {n} minuto
Inténtalo de nuevo dentro de {n} minutos
Ya puedes intentarlo de nuevo.
Cancelar
Guardar
Cerrar
Crear cuenta
Crear cuenta
¿Ya tienes cuenta?
Te enviaremos un enlace para confirmar la dirección.
Del enlace o del mensaje que recibiste.
Ya has iniciado sesión, así que la invitación no se ha usado. Cierra la sesión para usarla.
El registro está cerrado
Las cuentas nuevas en {issuer} las crea la administración. Pídele una.
Revisa tu correo
Hemos enviado un enlace a {email}. Ábrelo para terminar el registro.
Si {email} pertenece a una cuenta, un enlace para definir otra contraseña está en camino.
Si has pedido un correo, está en camino.
¿Nada después de unos minutos? Mira en la carpeta de spam o inténtalo de nuevo.
Volver al inicio de sesión
Enviar de nuevo
¿Dirección equivocada?
Enviar a esta dirección
Enviado de nuevo. Usa el enlace del correo más reciente.
Si {email} pertenece a una cuenta, otro enlace está en camino. Usa el más reciente.
Este nombre ya pertenece a una cuenta. Si ya has abierto el enlace, inicia sesión.
¿Has perdido el correo de tu registro?
Regístrate de nuevo con el mismo nombre y la misma contraseña
Confirma tu dirección
Si no lo has pedido, cierra la página: nada ha cambiado.
Confirmar la dirección
Te damos la bienvenida, {name}
Tu dirección está confirmada, tu cuenta está lista y has iniciado sesión.
Dirección confirmada
{email} es ahora la dirección de {name}.
Este enlace no funciona
Ya se ha usado, ha caducado o no está completo. Si tu cuenta funciona, todo está bien.
Ir a la página de inicio
Confirma que {email} es tu dirección. Pasará a ser la de la cuenta {name} en {issuer}.
¿Olvidaste la contraseña?
Escribe la dirección de correo de tu cuenta. Te enviaremos un enlace para definir otra contraseña.
Enviar el enlace
Este servidor no envía correos. Pide a la administración un enlace para definir otra contraseña.
Definir otra contraseña
Definir la contraseña
Tu contraseña está definida
Has iniciado sesión como {name}. Todas las demás sesiones y contraseñas de aplicación han terminado.
Ya se ha usado, ha caducado o no está completo. Cada enlace sirve una vez.
Pedir otro enlace
Volver
Has iniciado sesión como {name}. Este enlace la sustituye por una sesión de {user}.
Mensaje protegido
El servidor solo dice esto a quien ha iniciado sesión:
Cuenta
Miembro desde el {day}
Roles
Sin dirección
Perfil
Cambiar el correo
Correo nuevo
Enviar confirmación
Hemos enviado un enlace a {email}. La dirección nueva vale en cuanto la confirmes allí.
Contraseña
Cambiarla cierra todas tus demás sesiones.
Cambiar la contraseña
Tu contraseña ha cambiado. Todas las demás sesiones se han cerrado.
Conservar mis contraseñas de aplicación
Si no, también dejan de servir.
Segundo factor
Desactivado. Con un código de una aplicación de autenticación, una contraseña robada no basta.
Activado. Para iniciar sesión hace falta un código de tu aplicación de autenticación.
Activar
Desactivar
Códigos de recuperación nuevos
Continuar
Escribe tu contraseña para empezar.
Escanea este código con tu aplicación de autenticación o escribe la clave.
Código QR para una aplicación de autenticación
Clave
Después escribe los seis dígitos que muestra la aplicación.
Es obligatorio para tu cuenta, así que no se puede desactivar.
El segundo factor está desactivado.
En este teléfono: abrir en la aplicación de autenticación
Queda {n} código de recuperación.
Quedan {n} códigos de recuperación.
Tus códigos de recuperación
Guárdalos donde los encuentres sin el teléfono. Cada uno sirve para iniciar sesión una vez. Solo se muestran ahora.
Copiar
Guardar en un archivo
Ya los he guardado
Configura el segundo factor
{issuer} exige un segundo factor para tu cuenta: un código de una aplicación de autenticación en tu teléfono. Todo lo demás se abre cuando lo hayas configurado.
Dónde tienes la sesión iniciada
Esta sesión
Abierta también en las aplicaciones
Dispositivo desconocido
desde el {when}
último uso {when}
Cerrar
Cerrar la sesión en {device}, {address}
Esa sesión se ha cerrado.
Cerrar todas las sesiones
Se cierran todas tus sesiones, incluida esta.
Contraseñas de aplicación
Para programas que no pueden mostrar una página de inicio de sesión, como calendarios, git y lectores de noticias. Cerrar todas las sesiones no les afecta.
Añadir contraseña de aplicación
Nombre
El programa o el dispositivo que la va a usar.
un año
hasta que la elimines
Solo para estos servidores
Como cal.example.org o *.example.org, separados por comas.
También puede leer de la API de {issuer}
Crear contraseña de aplicación
Contraseña de aplicación nueva
Úsala con el nombre de usuario {name}. Solo se muestra ahora.
nunca usada
Eliminar
Eliminar la contraseña de aplicación {name}
La contraseña de aplicación se ha eliminado.
Eliminar la cuenta
Tu cuenta y todas sus sesiones desaparecen de inmediato. No se puede deshacer.
Eliminar mi cuenta
Tu cuenta se ha eliminado.
Administración
Administración
Usuarios
Invitaciones
Auditoría
Correos
Solo para quien administra
Tu cuenta no tiene el rol admin.
Buscar por nombre o correo
No se ha encontrado a nadie.
Desactivada
Segundo factor
Añadir usuario
Añadir otro
Rol
Sin confirmar
Orden
Cuentas más antiguas primero
Cuentas más recientes primero
Por nombre
Por nombre, al revés
Inicio de sesión más reciente primero
Inicio de sesión más antiguo primero
{n} usuario
{n} usuarios
Al menos {n} usuarios
{email} está sin confirmar
último inicio de sesión {when}
Todos
Quitar filtros
Mostrar más ({n})
Página siguiente
Página anterior
Primera página
Páginas
Todos los usuarios
Número
Desde
Estado
Activa
Activado
Desactivado
Activar
Desactivar
La cuenta de {name} está activa.
La cuenta de {name} está desactivada y todas sus sesiones se han cerrado.
Separados por comas. Quien administra tiene el rol admin.
Los roles se han guardado y se aplican de inmediato.
Contraseña nueva
Crea un enlace con el que {name} defina otra contraseña. Entrégalo por un medio en el que confíes.
Crear enlace
Sirve una vez, hasta el {when}. Solo se muestra ahora.
Enlace
Sesiones
{n} sesión
{n} sesiones
Sin sesiones abiertas.
Cerrar todas las sesiones
Todas las sesiones de {name} se han cerrado.
Actividad
Eliminar la cuenta
La cuenta de {name} y todas sus sesiones desaparecen de inmediato. No se puede deshacer.
Eliminar {name}
La cuenta de {name} se ha eliminado.
Sin confirmar
Último inicio de sesión
Nunca
{name} aún no ha abierto el enlace del correo. Puedes activar la cuenta sin él.
Desactivar tu propia cuenta
Tu sesión se cierra de inmediato, y solo otra persona que administre puede volver a activar tu cuenta.
Dejar de administrar
Sin el rol admin ya no puedes abrir estas páginas. Solo otra persona que administre puede devolvértelo.
{n} intento fallido desde el último inicio de sesión.
{n} intentos fallidos desde el último inicio de sesión.
Los dispositivos nuevos se rechazan.
Desbloquear
Los intentos fallidos de {name} se han olvidado.
La dirección nueva se aplica de inmediato, sin confirmación. {name} recibe un aviso en la anterior.
La dirección es ahora {email}.
La cuenta ya no tiene dirección.
Si {name} ha perdido el teléfono y los códigos de recuperación, quita el segundo factor: después basta con la contraseña.
Restablecer el segundo factor
¿Seguro que es {name} quien lo pide? Hasta que se configure otro segundo factor, basta con la contraseña.
{name} ya no tiene segundo factor.
Enviar por correo
Un enlace está en camino a {email}.
Crear otro enlace
El enlace se ha usado o ya no funciona.
Cerrar
Cerrar la sesión en {device}, {address}
La cuenta está lista de inmediato. La persona define la contraseña con un enlace, que verás a continuación.
La cuenta {name} se ha creado.
Abrir {name}
Copiar
Copiado.
Invitar a alguien
Una invitación permite a una persona crear una cuenta.
Por ahora, el registro no es por invitación (--registration), así que nadie necesita una.
Válida durante
un día
una semana
un mes
Crear invitación
Sirve una vez, hasta el {when}. Solo se muestra ahora.
Código
Enlace
Invitaciones abiertas
No hay ninguna.
hasta el {when}
sin roles
Revocar
Revocar la invitación {id}
La invitación se ha revocado.
La invitación también se envía allí.
Nota
Aparece en el correo. Como máximo {n} caracteres.
La invitación se ha usado o ha caducado.
La invitación está en camino a {email}.
Sin actividad.
Nada hasta aquí; puede que la página siguiente tenga más.
El nombre de usuario y la dirección IP deben estar completos, con sus acentos.
Solo lo que se refiere a
usuario {n}
un nombre que nadie tiene
en la línea de comandos
Evento
Dirección IP
Desde
Hasta
Solo inicios de sesión fallidos
Guardar como CSV
Guardar como JSON Lines
Detener
{n} entrada hasta ahora …
{n} entradas hasta ahora …
{n} entrada guardada.
{n} entradas guardadas.
contraseñas de aplicación conservadas
no comparada: han fallado demasiadas
segundo factor
segundo factor, para restablecer la contraseña
segundo factor, con la sesión iniciada
con la sesión iniciada
invitación {id}
sin aviso por correo: demasiados
por {name}
desde {address}
Correos que esperan a ser enviados y los que se han abandonado.
Este servidor no envía correos (--mail).
No hay correos en espera.
Recargar
En espera
Abandonado
{n} intento
{n} intentos
próximo intento {when}
Intentar ahora
Intentar ahora: {kind}, {email}
«{kind}» a {email} se intenta de nuevo en unos segundos.
Descartar
Descartar: {kind}, {email}
«{kind}» a {email} se ha descartado.
Confirmar la cuenta
Confirmar la dirección nueva
Enlace para una contraseña nueva
Invitación
Correo de prueba
Aviso: dirección cambiada
Aviso: contraseña cambiada
Aviso: segundo factor activado
Aviso: segundo factor desactivado
Aviso: código de recuperación usado
Aviso: códigos de recuperación nuevos
Aviso: cuenta eliminada
Aviso: inicio de sesión en un dispositivo nuevo
Aviso: demasiados intentos fallidos
Aviso: la cuenta tiene otro nombre
Registro
Cuenta creada
Inicio de sesión
Inicio de sesión fallido
Inicio de sesión rechazado
Token antiguo repetido
Token adoptado
Navegador con sesión en las aplicaciones, por un token
Inicio de sesión en un dispositivo nuevo
Demasiados intentos fallidos; se rechazan los dispositivos nuevos
Cierre de sesión
Todas las sesiones cerradas
Sesión cerrada
Contraseña cambiada
Contraseña definida por enlace
Contraseña de aplicación creada
Contraseña de aplicación eliminada
Enlace para contraseña nueva pedido
Dirección nueva por confirmar
Dirección confirmada
Dirección cambiada
Correo fallido
Correo de prueba enviado
Correo intentado de nuevo
Correo descartado
Segundo factor pedido
Configuración del segundo factor iniciada
Segundo factor activado
Segundo factor desactivado
Segundo factor restablecido
Código de recuperación usado
Códigos de recuperación nuevos
Roles cambiados
Cuenta activada
Cuenta desactivada
Intentos fallidos olvidados
Enlace para contraseña nueva creado
Enlace para contraseña nueva enviado
Invitación creada
Invitación revocada
Cuenta eliminada
Clave renovada
Clave retirada
Hash de la contraseña renovado
Cuentas importadas
Base de datos restaurada de una copia de seguridad
Página no encontrada
No hay nada en esta dirección.
Cargando …
Intentar de nuevo
No se ha podido cargar esta página
Sin conexión con el servidor. Intentando de nuevo …
Como máximo 64 caracteres.
Letras, números y puntuación, pero sin espacios.
Una dirección de correo no puede ser un nombre de usuario. Elige un nombre sin @.
Es demasiado larga.
Contiene un carácter que no se puede escribir en todas partes.
Al menos {n} caracteres.
Es poco más que el nombre de usuario.
Es poco más que la dirección de correo.
Es poco más que el nombre de este programa.
Es poco más que el nombre de este servicio.
Es una de las contraseñas más comunes, que son las primeras que se prueban.
Aún es demasiado corta.
Fácil de adivinar. Mejor: unas cuantas palabras sin relación.
Podría ser más difícil de adivinar: añade otra palabra.
Difícil de adivinar.
Esta dirección pertenece a otra cuenta.
Como máximo 16 roles.
Un rol tiene de 1 a 64 letras, números o _ . : -
Como máximo 64 caracteres, y ninguno invisible.
Esto no es un servidor. Escríbelo como cal.example.org o *.example.org.
Como máximo {n} servidores.
Crear la cuenta de administración
Elige el nombre y la contraseña de la primera cuenta de administración. Después se inicia la sesión.
Has iniciado sesión como {name}. Aquí se crea otra cuenta.
Crear la cuenta de administración
Todavía no hay cuenta de administración. Al arrancar, el servidor muestra un enlace que la crea: en su terminal o en su registro.
O ejecuta este comando donde funciona el servidor, con el --database del servidor, si lo tiene:
Para una cuenta que ya existe:
Está incompleto, ya se usó o se sustituyó cuando el servidor volvió a arrancar. El más reciente está en su registro.
Ya hay una cuenta de administración
El enlace ya se ha usado, o la cuenta de administración se creó de otra forma.
Tus aplicaciones
Primeros pasos
Lo que conviene mirar antes de que lleguen otras personas. Los ajustes se dan al servidor al arrancar.
Hecho
Pendiente
Está hecho
Ocultar la lista
La lista de los primeros pasos está oculta en este navegador. Sigue en {address}.
Nombre del servicio
Se llama {issuer}. El nombre aparece en las páginas, en los correos y en las aplicaciones de autenticación.
Quién puede registrarse
Cualquiera que llegue al servidor.
Cualquiera que confirme una dirección de correo.
Solo personas con una invitación.
Nadie: tú creas las cuentas.
Este ajuste lo cambia:
Correo
El servidor envía correos. Comprueba si llegan.
El servidor no envía correos, así que nadie puede definir una contraseña nueva sin ayuda. Estos ajustes activan el envío:
Enviar un correo de prueba
El correo a {email} espera a ser enviado.
El correo a {email} se ha enviado. Mira en el buzón.
No se ha podido enviar el correo a {email}.
Segundo factor
Tu cuenta tiene un segundo factor.
Así, quien descubra la contraseña aún no entra en tu cuenta.
Configurarlo en tu cuenta
Copia de seguridad
Este comando copia las cuentas y las claves mientras el servidor funciona. Ejecútalo todos los días.
Este comando copia las cuentas mientras el servidor funciona. Copia también el archivo de la clave.
No se puede llegar al servidor. Lo que escribiste sigue aquí.
No se puede leer la respuesta del servidor.
Rellena este campo.
Esto no es una dirección de correo.
El servidor no ha entendido esto.
Este nombre de usuario no se puede usar.
Esta contraseña no se puede usar.
Este nombre de usuario ya está en uso.
El registro está cerrado. Pide una cuenta a la administración.
La invitación no es correcta, ya se ha usado o ha caducado. Pide otra.
El enlace no es válido o ya no lo es.
Ya hay una cuenta de administración.
El enlace de este correo ha caducado. Elimina el correo.
Hay demasiadas invitaciones abiertas. Revoca algunas primero.
Hay demasiadas contraseñas de aplicación. Elimina una primero.
El nombre de usuario o la contraseña no son correctos.
No has iniciado sesión.
Tu sesión no es válida. Inicia sesión de nuevo.
Tu sesión no es válida. Inicia sesión de nuevo.
El plazo para esto ha terminado.
Tu sesión ha terminado. Inicia sesión de nuevo.
Es demasiado pronto para renovar la sesión.
Este enlace sirve para confirmar una dirección.
Este enlace sirve para definir otra contraseña.
Este enlace ya se ha usado o no es válido.
Este enlace ya se ha usado o no es válido.
Esta cuenta ya no existe.
Esta cuenta no está activa. ¿Está confirmada la dirección? Si es así, consulta a la administración.
Tu sesión ha terminado. Inicia sesión de nuevo.
Tu sesión ha terminado. Inicia sesión de nuevo.
Tu navegador tiene cookies de varias sesiones. Borra las cookies de este sitio e inicia sesión de nuevo.
Iniciar sesión en las aplicaciones requiere HTTPS. Consulta a la administración.
Tu cuenta no tiene el rol que esto requiere.
La contraseña no es correcta.
También hace falta un código de tu segundo factor.
El segundo factor ya está activado.
No hay segundo factor, o la confirmación tardó demasiado. Empieza de nuevo.
El código no es correcto, es demasiado antiguo o ya se ha usado.
También hace falta un código de tu segundo factor.
Tu cuenta debe tener un segundo factor.
Esto requiere un inicio de sesión reciente. Inicia sesión de nuevo.
El servidor no acepta peticiones de páginas en esta dirección.
Las reglas de este sitio no lo permiten.
La contraseña de aplicación no es correcta o ya no sirve.
La contraseña de aplicación no se permite aquí.
Esta sesión es solo para una aplicación. Inicia sesión de nuevo.
Primero tiene que haber otra cuenta activa que administre y que tenga contraseña.
La cuenta no está activa. Actívala primero.
Esto ya no existe.
El servidor no ofrece esto.
Demasiados intentos. Espera un poco.
El servidor está ocupado. Inténtalo de nuevo dentro de poco.
Algo ha fallado en el servidor. Su registro dice qué.
Este servidor no envía correos. Pide a la administración un enlace para definir otra contraseña.`.split(`
`);export{e as es};