var e=`Main
Skip to content
Account
Administration
Log out
Log in
Register
Language
The language could not be changed now. It is used from your next visit on.
Legal notice
Privacy
Hello, {name}
You are logged in to {issuer}.
Welcome to {issuer}
You do not have an account? The administrator of {issuer} can give you one.
You need an invitation to register.
Password, second factor, and where you are logged in.
Users, invitations, and activity.
Log in
Username or e-mail
Log in
Log in to see this page.
Your session has ended. Log in to go on.
Forgot your password?
Forgot your password? Ask the administrator for a link to set a new one.
New here?
Register
Stay logged in
Turn this off on a device that other people use.
{host} asks you to log in.
Continue to {host}
You are logged in as {name}.
Continue
{host} has sent you back. Either {name} may not open it, or the cookie of this login does not reach it. Ask the administrator.
Use another account
{name} may not open this page of {host}
The rules of this site do not allow it. Use another account, or ask the administrator.
My account
Your browser does not keep the login
You are logged in here, but {host} cannot know it without a cookie. Allow cookies for this site, and try again. If they are allowed, tell the administrator: this page may be in another domain than the server expects.
Unknown address
The address that you came from does not belong to this site, so you are not sent back there.
The server does not answer, so you may still be logged in to the apps. Keep this page open, or try again.
You are logged out.
{name} is still logged in to the apps.
Log in again
This needs a recent login. Log in again to go on.
The password or the code is wrong.
Second factor
Enter the six digits that your authenticator app shows.
Code
Enter one of your recovery codes. Each works once.
Recovery code
Use a recovery code instead
Use the authenticator app instead
The code is wrong, too old, or has been used.
From your authenticator app, or a recovery code.
Username
Password
New password
Current password
E-mail
Invitation code
At least {n} characters. A few unrelated words are good and easy to remember.
Show password
optional
One moment …
Try again in {n} second
Try again in {n} seconds
Try again in {n} minute
Try again in {n} minutes
You can try again now.
Cancel
Save
Close
Register
Register
You have an account already?
We send you a link to confirm the address.
From the link or message that you were sent.
You are logged in already, so the invitation was not used. Log out to use it.
Registration is closed
New accounts on {issuer} are created by its administrator. Ask them for one.
Check your mail
We have sent a link to {email}. Follow it to finish your registration.
If {email} belongs to an account, a link to set a new password is on its way.
If you asked for a mail, it is on its way.
Nothing there after a few minutes? Look in the spam folder, or try again.
Back to login
Send again
Wrong address?
Send to this address
Sent again. Use the link in the newest mail.
If {email} belongs to an account, another link is on its way. Use the newest one.
This name belongs to an account now. If you have followed the link already, log in.
Did the mail of your registration not arrive?
Register again with the same name and password
Confirm your address
If you did not ask for this, close the page: nothing has changed.
Confirm address
Welcome, {name}
Your address is confirmed, your account is ready, and you are logged in.
Address confirmed
{email} is now the address of {name}.
This link does not work
It was used before, has expired, or is not complete. If your account works, all is well.
To the start page
Confirm that {email} is your address. It then belongs to the account {name} on {issuer}.
Forgot your password?
Enter the e-mail address of your account. We send you a link to set a new password.
Send the link
This server sends no mail. Ask its administrator for a link to set a new password.
Set a new password
Set password
Your password is set
You are logged in as {name}. All other sessions and all app passwords have ended.
It was used before, has expired, or is not complete. Each link works once.
Ask for another link
Back
You are logged in as {name}. This link logs you in as {user} instead.
Protected message
The server says this only to people who are logged in:
Account
Member since {day}
Roles
No address
Profile
Change e-mail
New e-mail
Send confirmation
We have sent a link to {email}. The new address counts once you have confirmed it there.
Password
Changing it ends all your other sessions.
Change password
Your password is changed. All other sessions have ended.
Keep my app passwords
Otherwise they end too.
Second factor
Off. With a code from an authenticator app, a stolen password alone is not enough.
On. Logging in takes a code from your authenticator app.
Turn on
Turn off
New recovery codes
Continue
Enter your password to begin.
Scan this with your authenticator app, or type in the key.
QR code for an authenticator app
Key
Then enter the six digits that the app shows.
It is required for your account, so it cannot be turned off.
The second factor is turned off.
On this phone: open in the authenticator app
{n} recovery code is left.
{n} recovery codes are left.
Your recovery codes
Keep them where you find them without your phone. Each logs you in once. They are shown only now.
Copy
Save as file
I've saved them
Set up your second factor
{issuer} requires a second factor for your account: a code from an authenticator app on your phone. Everything else opens once it is set up.
Where you are logged in
This one
Also logged in to apps
Unknown device
since {when}
last used {when}
Log out
Log out {device}, {address}
That session has ended.
Log out everywhere
All your sessions end, this one included.
App passwords
For programs that cannot show a login page, such as calendars, git and feed readers. Logging out everywhere does not end them.
Add app password
Name
The program or the device that will use it.
a year
until you delete it
Only for these hosts
Such as cal.example.org or *.example.org, separated by commas.
It may also read from the API of {issuer}
Create app password
New app password
Use it with the username {name}. It is shown only now.
never used
Delete
Delete app password {name}
The app password is deleted.
Delete account
Your account and all its sessions are gone at once. This cannot be undone.
Delete my account
Your account is deleted.
Administration
Administration
Users
Invitations
Audit
Mails
For administrators only
Your account does not have the role admin.
Search by name or e-mail
Nobody found.
Inactive
Second factor
Add user
Add another
Role
Not confirmed yet
Order
Oldest account first
Newest account first
By name
By name, backwards
Latest login first
Longest without a login first
{n} user
{n} users
At least {n} users
{email} is not confirmed yet
last login {when}
All
Clear filters
Show more ({n})
Next page
Previous page
First page
Pages
All users
Number
Since
State
Active
On
Off
Activate
Deactivate
{name} is active.
{name} is inactive and logged out everywhere.
Separated by commas. Administrators have the role admin.
The roles are saved and count at once.
New password
Create a link with which {name} sets a new password. Hand it on in a way that you trust.
Create link
Good once, until {when}. It is shown only now.
Link
Sessions
{n} session
{n} sessions
Not logged in anywhere.
Log out everywhere
{name} is logged out everywhere.
Activity
Delete account
The account of {name} and all its sessions are gone at once. This cannot be undone.
Delete {name}
The account of {name} is deleted.
Not confirmed yet
Last login
Never
{name} has not followed the link in the mail yet. You can activate the account without it.
Deactivate your own account
You are logged out at once, and only another administrator can activate your account again.
Give up administration
Without the role admin you cannot open these pages any more. Only another administrator can give it back.
{n} failed login since the last one that worked.
{n} failed logins since the last one that worked.
New devices are refused.
Unlock
The failed logins of {name} are forgotten.
The new address counts at once, without a confirmation. {name} is told at the old one.
The address is now {email}.
The account has no address any more.
If {name} has lost the phone and the recovery codes, take the second factor away: then the password alone is enough.
Reset second factor
Are you sure that it is {name} who asks for this? Until a new second factor is set up, the password alone is enough.
{name} has no second factor any more.
Send by mail
A link is on its way to {email}.
Create another link
The link was used or no longer works.
End
End {device}, {address}
The account is ready at once. Its owner sets the password with a link, which you see next.
The account {name} is created.
Open {name}
Copy
Copied.
Invite somebody
An invitation lets one person register.
Registration is not by invitation at the moment (--registration), so nobody is asked for one.
Good for
a day
a week
a month
Create invitation
Good once, until {when}. It is shown only now.
Code
Link
Open invitations
There are none.
until {when}
no roles
Revoke
Revoke invitation {id}
The invitation is revoked.
The invitation is sent there too.
Note
Appears in the mail. At most {n} characters.
The invitation was used or has expired.
The invitation is on its way to {email}.
No activity.
Nothing so far; the next page may have more.
The username and the IP address must be complete, accents included.
Only what concerns
user {n}
a name that nobody has
on the command line
Event
IP address
From
To
Only failed logins
Save as CSV
Save as JSON Lines
Stop
{n} entry so far …
{n} entries so far …
{n} entry is saved.
{n} entries are saved.
app passwords kept
not compared: too many have failed
second factor
second factor, to reset the password
second factor, while logged in
while logged in
invitation {id}
not told by mail: too many
by {name}
from {address}
Mails that wait to be sent, and those that were given up.
This server sends no mail (--mail).
No mail is waiting.
Reload
Waiting
Given up
{n} attempt
{n} attempts
next attempt {when}
Try now
Try now: {kind}, {email}
“{kind}” to {email} is tried again within seconds.
Drop
Drop: {kind}, {email}
“{kind}” to {email} is dropped.
Confirm the account
Confirm the new address
Link for a new password
Invitation
Test mail
Notice: address changed
Notice: password changed
Notice: second factor on
Notice: second factor off
Notice: recovery code used
Notice: new recovery codes
Notice: account deleted
Notice: login from a new device
Notice: too many failed logins
Notice: the account has another name
Registered
Account created
Logged in
Login failed
Login refused
Old token replayed
Token adopted
Browser logged in to apps with a token
Logged in from a new device
Too many failed logins; new devices are refused
Logged out
Logged out everywhere
Session ended
Password changed
Password set by link
App password added
App password deleted
Link for a new password asked for
New address to be confirmed
Address confirmed
Address changed
Mail failed
Test mail sent
Mail tried again
Mail dropped
Second factor asked for
Second factor begun
Second factor on
Second factor off
Second factor taken away
Recovery code used
New recovery codes
Roles changed
Activated
Deactivated
Failed logins forgotten
Link for a new password created
Link for a new password mailed
Invitation created
Invitation revoked
Account deleted
Key rotated
Key retired
Password hash renewed
Accounts imported
Database restored from a backup
Page not found
There is nothing at this address.
Loading …
Try again
This page could not be loaded
No connection to the server. Trying again …
At most 64 characters.
Letters, digits and punctuation, but no spaces.
An e-mail address cannot be a username. Choose a name without the @.
That is too long.
It holds a character that cannot be typed everywhere.
At least {n} characters.
It is little more than the username.
It is little more than the e-mail address.
It is little more than the name of this program.
It is little more than the name of this service.
It is one of the most common passwords, which are tried first.
Still too short.
Easy to guess. Better: a few unrelated words.
Could be harder to guess: add another word.
Hard to guess.
This address belongs to another account.
At most 16 roles.
A role has 1 to 64 letters, digits, or _ . : -
At most 64 characters, and none that cannot be seen.
This is not a host. Write it like cal.example.org or *.example.org.
At most {n} hosts.
Make the administrator
Choose the name and the password of the first administrator. You are then logged in.
You are logged in as {name}. This makes another account.
Make the administrator
There is no administrator yet. The server shows a link that makes one when it starts: on its terminal, or in its log.
Or run this command where the server runs, with the --database of the server if it has one:
For an account that is there already:
It is incomplete, was used, or was replaced when the server started again. The newest is in the server's log.
There is an administrator
The link has been used, or somebody was made administrator in another way.
Your apps
First steps
What to look at before others come. Settings are given to the server when it starts.
Done
Open
This is done
Hide the list
The list of first steps is hidden in this browser. It is still at {address}.
Name of the service
It is called {issuer}. The name appears on the pages, in mails and in authenticator apps.
Who may register
Everybody who can reach the server.
Everybody who confirms an e-mail address.
Only people with an invitation.
Nobody: you add the accounts.
This setting changes it:
Mail
The server sends mail. Try whether it arrives.
The server sends no mail, so nobody can set a new password on their own. These settings turn it on:
Send a test mail
The mail to {email} waits to be sent.
The mail to {email} is sent. Look in the mailbox.
The mail to {email} could not be sent.
Second factor
Your account has a second factor.
A password that somebody learns is then not enough to get into your account.
Set it up in your account
Backup
This command copies the accounts and the keys while the server runs. Run it each day.
This command copies the accounts while the server runs. Copy the key file as well.
The server cannot be reached. What you entered is still here.
The answer of the server cannot be read.
Please fill this in.
This is not an e-mail address.
The server did not understand this.
This username cannot be used.
This password cannot be used.
This username is taken.
Registration is closed. Ask the administrator for an account.
The invitation is wrong, used or expired. Ask for another one.
The link is not valid, or no longer valid.
There is an administrator already.
The link in this mail has expired. Delete the mail.
There are too many open invitations. Revoke some first.
There are too many app passwords. Delete one first.
The username or the password is wrong.
You are not logged in.
Your session is not valid. Log in again.
Your session is not valid. Log in again.
The time for this is over.
Your session has ended. Log in again.
It is too early to renew the session.
This link is for confirming an address.
This link is for setting a new password.
This link was used before or is not valid.
This link was used before or is not valid.
This account no longer exists.
This account is not active. Has its address been confirmed? If so, ask the administrator.
Your session has ended. Log in again.
Your session has ended. Log in again.
Your browser has cookies of several sessions. Delete the cookies of this site, then log in again.
Logging in to apps needs HTTPS. Ask the administrator.
Your account does not have the role that this needs.
The password is wrong.
A code of your second factor is needed as well.
The second factor is on already.
There is no second factor, or it took too long to confirm it. Begin again.
The code is wrong, too old, or has been used.
A code of your second factor is needed as well.
Your account must have a second factor.
This needs a recent login. Log in again.
The server takes no requests from pages at this address.
The rules of this site do not allow this.
The app password is wrong or has ended.
The app password is not allowed here.
This login is for one app alone. Log in again.
There must be another active administrator first, who has set a password.
The account is not active. Activate it first.
This does not exist any more.
The server does not offer this.
Too many attempts. Please wait a little.
The server is busy. Please try again shortly.
Something went wrong on the server. Its log says what.
This server sends no mail. Ask the administrator for a link to set a new password.`.split(`
`);export{e as en};